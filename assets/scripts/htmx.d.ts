declare module "htmx.org/dist/htmx.esm.js" {
  const htmx: { config: Record<string, unknown>; process(node: Element): void };
  export default htmx;
}
