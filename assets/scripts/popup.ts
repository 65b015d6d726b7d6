// Small menus are <details>: here they also close by Escape and by a click elsewhere.
export function popups(): void {
  const open = () => document.querySelectorAll<HTMLDetailsElement>("details[data-popup][open]");
  document.addEventListener("click", (event) => {
    for (const popup of open()) {
      if (!popup.contains(event.target as Node)) popup.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const popup of open()) {
      popup.open = false;
      popup.querySelector("summary")?.focus();
    }
    if (location.hash === "#menu") location.hash = "#page";
  });
}
