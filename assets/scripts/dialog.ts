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
  // A press beside the dialogue closes it. One that began inside does not, though the click is said
  // to be the dialogue's: on its edge, or where text was marked with the mouse beyond it.
  let beside = false;
  dialog.addEventListener("mousedown", ({ clientX, clientY }) => {
    const { left, right, top, bottom } = dialog.getBoundingClientRect();
    beside = clientX < left || clientX > right || clientY < top || clientY > bottom;
  });
  dialog.addEventListener("click", (event) => {
    const at = event.target as HTMLElement;
    if ((at === dialog && beside) || at.closest("[data-close]")) dialog.close();
  });
}
