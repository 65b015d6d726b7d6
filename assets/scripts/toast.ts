// A sentence to the person that came from no page.
export function say(text: string): void {
  const box = document.querySelector(".toasts");
  if (!box) return;
  const line = document.createElement("p");
  line.className = "toast is-error";
  line.textContent = text;
  box.replaceChildren(line);
  box.scrollIntoView({ block: "nearest" });
}
