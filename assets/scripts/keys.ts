// Single keys: `/` searches, `?` shows the keys, `g` and a letter goes to a page. Which there are,
// the page itself says with `data-key` on the link that the key follows.
const WAIT = 1500;
let begun = 0;

const follow = (key: string): boolean => {
  const link = document.querySelector<HTMLElement>(`[data-key="${key}"]`);
  link?.click();
  return link !== null;
};

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));

export function keys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (typing(event.target) || document.querySelector("dialog[open]")) return;
    if (document.querySelector<HTMLElement>("[data-keys]")?.dataset.keys === "off") return;
    const second = Date.now() - begun < WAIT;
    begun = 0;
    if (second && /^[a-z]$/.test(event.key)) {
      if (follow(`g ${event.key}`)) event.preventDefault();
    } else if (event.key === "g") {
      begun = Date.now();
    } else if (event.key === "/" || event.key === "?") {
      if (follow(event.key)) event.preventDefault();
    }
  });
}
