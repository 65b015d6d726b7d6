// The tree of places: a branch comes once, then its line folds and unfolds it.
export function trees(): void {
  document.addEventListener(
    "click",
    (event) => {
      const line = (event.target as Element).closest<HTMLElement>("[data-branch]");
      if (!line || line.dataset.loaded === undefined) return;
      event.preventDefault();
      event.stopPropagation(); // before htmx hears of it
      const branch = document.getElementById(line.dataset.branch ?? "");
      if (!branch) return;
      branch.hidden = !branch.hidden;
      line.setAttribute("aria-expanded", String(!branch.hidden));
    },
    true,
  );
  document.addEventListener("htmx:afterSwap", (event) => {
    const id = ((event as CustomEvent).detail.target as HTMLElement).id;
    const line = document.querySelector<HTMLElement>(`[data-branch="${id}"]`);
    if (!line) return;
    line.dataset.loaded = "";
    line.setAttribute("aria-expanded", "true");
  });
}
