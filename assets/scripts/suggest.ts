// A text box that is completed while one types (the combobox pattern of the ARIA guide). The value
// is plain text that the server reads the same when it was typed in full. An option with an address
// of its own leads there instead.
const WAIT = 200;
let serial = 0;
let pressing = false; // the button of the mouse is down, a finger on the screen
document.addEventListener("mousedown", () => (pressing = true), true);
document.addEventListener("mouseup", () => (pressing = false), true);

class Suggest {
  private readonly list = document.createElement("ul");
  private timer = 0;
  private asked = 0;
  private at = -1;

  constructor(private readonly box: HTMLInputElement) {
    this.list.id = `suggest-${++serial}`;
    this.list.className = "suggest";
    this.list.setAttribute("role", "listbox");
    this.list.hidden = true;
    box.after(this.list);
    box.setAttribute("role", "combobox");
    box.setAttribute("aria-autocomplete", "list");
    box.setAttribute("aria-controls", this.list.id);
    box.setAttribute("aria-expanded", "false");
    box.addEventListener("input", () => this.ask());
    box.addEventListener("keydown", (event) => this.key(event));
    box.addEventListener("blur", () => this.leave());
    // Before the blur that a press would cause.
    this.list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      this.take((event.target as Element).closest<HTMLElement>("[role=option]"));
    });
  }

  private get options(): HTMLElement[] {
    return [...this.list.querySelectorAll<HTMLElement>("[role=option]")];
  }

  private ask(): void {
    clearTimeout(this.timer);
    const text = this.box.value.trim();
    if (!text) return this.close();
    this.timer = window.setTimeout(() => this.fill(text), WAIT);
  }

  private async fill(text: string): Promise<void> {
    const mine = ++this.asked;
    const address = new URL(this.box.dataset.suggest ?? "", location.href);
    address.searchParams.set("q", text);
    const answer = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
    if (mine !== this.asked || !answer?.ok || answer.redirected) return;
    const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
    this.list.replaceChildren(...parsed.querySelectorAll("[role=option]"));
    this.options.forEach((option, n) => (option.id = `${this.list.id}-${n}`));
    this.at = -1;
    this.show(this.options.length > 0);
  }

  private key(event: KeyboardEvent): void {
    if (this.list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      this.move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && this.at >= 0) {
      event.preventDefault();
      this.take(this.options[this.at]);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation(); // closes the list and not the dialogue around it
      this.close();
    }
  }

  private move(step: number): void {
    const options = this.options;
    this.at = (this.at + step + options.length) % options.length;
    options.forEach((option, n) => option.setAttribute("aria-selected", String(n === this.at)));
    options[this.at].scrollIntoView({ block: "nearest" });
    this.box.setAttribute("aria-activedescendant", options[this.at].id);
  }

  private take(option: HTMLElement | null): void {
    if (!option || option.getAttribute("aria-disabled")) return;
    if (option.dataset.href) return location.assign(option.dataset.href); // a page, not a value
    this.box.value = option.dataset.value ?? "";
    this.close();
    this.box.dispatchEvent(new Event("change", { bubbles: true }));
  }

  private show(open: boolean): void {
    this.list.hidden = !open;
    this.box.setAttribute("aria-expanded", String(open));
    if (!open) this.box.removeAttribute("aria-activedescendant");
  }

  // What stands below the list must not move while it is pressed, or the press would miss it.
  private leave(): void {
    this.cease();
    if (!pressing) return this.show(false);
    document.addEventListener("mouseup", () => this.show(false), { once: true });
  }

  private close(): void {
    this.cease();
    this.show(false);
  }

  // No answer that is still on its way opens the list.
  private cease(): void {
    clearTimeout(this.timer);
    this.asked++;
  }
}

function attach(root: ParentNode): void {
  for (const box of root.querySelectorAll<HTMLInputElement>("input[data-suggest]:not([role])")) {
    new Suggest(box);
  }
}

export function suggestions(): void {
  attach(document);
  document.addEventListener("htmx:afterSwap", () => attach(document));
}
