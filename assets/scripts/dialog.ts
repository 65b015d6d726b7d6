// The one dialogue: whatever is swapped into it opens it.
export function dialogs(): void {
  const dialog = document.getElementById("dialog") as HTMLDialogElement | null;
  if (!dialog || typeof dialog.showModal !== "function") return;

  let opener: HTMLElement | null = null;
  document.addEventListener("htmx:beforeRequest", (event) => {
    const detail = (event as CustomEvent).detail;
    if (detail.target === dialog && !dialog.open) opener = detail.elt as HTMLElement;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if ((event as CustomEvent).detail.target === dialog && !dialog.open) dialog.showModal();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if ((event as CustomEvent).detail.target?.id === "page") dialog.close();
  });
  dialog.addEventListener("close", () => {
    dialog.replaceChildren();
    if (opener?.isConnected) opener.focus();
    opener = null;
  });
  dialog.addEventListener("click", (event) => {
    const at = event.target as HTMLElement;
    if (at === dialog || at.closest("[data-close]")) dialog.close();
  });
}
