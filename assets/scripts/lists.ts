// Lists with script: how many rows are ticked, the way back to the row one came from, and the
// keyboard's place when a list is swapped. Each list works without any of it.
const wide = matchMedia("(min-width: 40.01rem)");

export function lists(): void {
  returnLinks();
  document.addEventListener("htmx:afterSwap", returnLinks);
  if (!document.getElementById("list")) return;
  openFilters();
  count();
  document.addEventListener("change", (event) => picked(event.target as HTMLInputElement));
  document.addEventListener("click", leaving);
  window.addEventListener("pageshow", () => {
    count();
    toRow();
  });

  // What was left empty is no wish and does not lengthen the address.
  document.addEventListener("htmx:configRequest", (event) => {
    const { elt, formData } = (event as CustomEvent).detail;
    if (!elt.matches("form.filters")) return;
    for (const [name, value] of [...formData.entries()]) if (value === "") formData.delete(name);
  });

  let tool = "";
  document.addEventListener("htmx:beforeRequest", (event) => {
    tool = ((event as CustomEvent).detail.elt as HTMLElement).closest("details[id]")?.id ?? "";
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if ((event as CustomEvent).detail.target?.id !== "list") return;
    count();
    // The menu that asked is a new one, and closed: the keyboard goes on from its button.
    if (tool && document.activeElement === document.body) {
      document.getElementById(tool)?.querySelector("summary")?.focus();
    }
  });
}

// A browser that cannot show what a closed fold holds (styles/console/_lists.scss) gets it open.
function openFilters(): void {
  const fold = document.querySelector<HTMLDetailsElement>("details[data-wide-open]");
  if (fold && wide.matches && !CSS.supports("selector(::details-content)")) fold.open = true;
}

function boxes(): HTMLInputElement[] {
  return [...document.querySelectorAll<HTMLInputElement>("#bulk input[name=row]")];
}

function picked(box: HTMLInputElement): void {
  if (!box.closest?.("#bulk")) return;
  if (box.closest("[data-bulk-page]")) for (const row of boxes()) row.checked = box.checked;
  const all = document.querySelector<HTMLInputElement>("#bulk input[name=all]");
  if (all && box !== all && box.type === "checkbox") all.checked = false;
  count();
}

// What is ticked, in words; and nothing to press while nothing is.
function count(): void {
  const bar = document.querySelector<HTMLElement>("[data-bulk]");
  if (!bar) return;
  const rows = boxes();
  const ticked = rows.filter((row) => row.checked).length;
  const all = bar.querySelector<HTMLInputElement>("input[name=all]")?.checked ?? false;
  const said = all ? "已选符合条件的全部" : ticked ? `已选 ${ticked} 条` : "在记录前打勾以批量办理";
  const count = bar.querySelector<HTMLElement>("[data-bulk-count]");
  if (count && count.textContent !== said) count.textContent = said;
  const page = bar.querySelector<HTMLElement>("[data-bulk-page]");
  if (page) {
    page.hidden = false;
    const box = page.querySelector("input") as HTMLInputElement;
    box.checked = ticked > 0 && ticked === rows.length;
    box.indeterminate = ticked > 0 && ticked < rows.length;
  }
  for (const button of bar.querySelectorAll("button")) button.disabled = !ticked && !all;
}

// Leaving by a row's link puts the row into the address that one comes back to.
function leaving(event: MouseEvent): void {
  const link = (event.target as Element).closest?.<HTMLAnchorElement>("tr[id^=row-] a[href]");
  const row = link?.closest("tr");
  if (!row || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
  for (const other of document.querySelectorAll("tr.is-here")) other.classList.remove("is-here");
  history.replaceState(history.state, "", `#${row.id}`);
}

// Back there: in sight, marked, and the keyboard goes on from it.
function toRow(): void {
  if (!location.hash.startsWith("#row-")) return;
  const row = document.getElementById(location.hash.slice(1));
  row?.classList.add("is-here");
  row?.scrollIntoView({ block: "center" });
  row?.querySelector<HTMLElement>("a[href]")?.focus({ preventScroll: true });
}

// The breadcrumb of a record leads back to the list as one left it, to the same row.
function returnLinks(): void {
  if (!document.referrer) return;
  const from = new URL(document.referrer);
  const key = location.pathname.match(/\/([0-9a-f-]+)\/$/)?.[1];
  for (const link of document.querySelectorAll<HTMLAnchorElement>(".crumbs a[href]")) {
    if (from.origin !== location.origin || from.pathname !== link.pathname) continue;
    from.hash = key ? `row-${key}` : "";
    link.href = from.href;
  }
}
