// The error summary takes the focus, so that the keyboard and the screen reader start there.
export function focusErrors(): void {
  document.querySelector<HTMLElement>("[data-focus]:not([data-focused])")?.focus();
  for (const summary of document.querySelectorAll<HTMLElement>("[data-focus]")) {
    summary.dataset.focused = "1";
  }
}
