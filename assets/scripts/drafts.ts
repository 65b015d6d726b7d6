// What is typed is kept on the server every few seconds, so that a lost session or a crashed
// browser loses none of it; nothing is kept in the browser. A submission takes over from there.
import { say } from "./toast";

const EVERY = 3000;

interface Keeping {
  timer: number;
  sending: AbortController | null;
}
const kept = new WeakMap<HTMLFormElement, Keeping>();
let told = false;

function words(form: HTMLFormElement): URLSearchParams {
  const found = new URLSearchParams();
  new FormData(form).forEach((value, name) => {
    if (typeof value === "string" && name !== "csrfmiddlewaretoken") found.append(name, value);
  });
  return found;
}

async function save(form: HTMLFormElement, leaving = false): Promise<void> {
  const state = kept.get(form);
  if (!state || !form.isConnected) return;
  window.clearTimeout(state.timer);
  state.timer = 0;
  state.sending = new AbortController();
  const answer = await fetch(form.dataset.draft ?? "", {
    method: "POST",
    body: words(form),
    keepalive: leaving,
    signal: state.sending.signal,
  }).catch(() => null);
  state.sending = null;
  if (answer?.status === 401 && !told) {
    told = true;
    say("登录已失效。填写的内容已保留，请照常提交；重新登录后会带回。");
  }
}

export function drafts(): void {
  const changed = (event: Event) => {
    const form = (event.target as HTMLElement).closest<HTMLFormElement>("form[data-draft]");
    if (!form) return;
    const state = kept.get(form) ?? { timer: 0, sending: null };
    kept.set(form, state);
    if (!state.timer) state.timer = window.setTimeout(() => void save(form), EVERY);
  };
  document.addEventListener("input", changed);
  document.addEventListener("change", changed);
  document.addEventListener(
    "submit",
    (event) => {
      const state = kept.get(event.target as HTMLFormElement);
      window.clearTimeout(state?.timer);
      state?.sending?.abort();
      if (state) state.timer = 0;
    },
    true,
  );
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "hidden") return;
    for (const form of document.querySelectorAll<HTMLFormElement>("form[data-draft]")) {
      if (kept.get(form)?.timer) void save(form, true);
    }
  });
}
