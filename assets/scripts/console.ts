// The console with script: lists that swap in place, dialogues, small menus. Each page works
// without any of it.
import htmx from "htmx.org/dist/htmx.esm.js";
import { dialogs } from "./dialog";
import { focusErrors } from "./focus";
import { popups } from "./popup";

Object.assign(htmx.config, {
  allowEval: false,
  allowScriptTags: false,
  includeIndicatorStyles: false,
  selfRequestsOnly: true,
  // Pages hold personal data: nothing of them is kept in the browser's storage.
  historyCacheSize: 0,
  refreshOnHistoryMiss: true,
  // A form with errors comes back as 422 or 409 and is shown; other failures lead to a message.
  responseHandling: [
    { code: "204", swap: false },
    { code: "[23]..", swap: true },
    { code: "422|409", swap: true, error: false },
    { code: "[45]..", swap: false, error: true },
  ],
});

document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]");
  if (token) (event as CustomEvent).detail.headers["X-CSRFToken"] = token.value;
});

// Signed out meanwhile, gone, forbidden or failed: show the server's own page with its own words.
for (const name of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(name, (event) => {
    const detail = (event as CustomEvent).detail;
    const get = detail.requestConfig?.verb === "get";
    if (get) location.href = detail.requestConfig.path;
    else location.reload();
  });
}

// A swapped body brings its own title and takes the reader along.
document.addEventListener("htmx:afterSwap", () => {
  const page = document.getElementById("page");
  const title = page?.dataset.title;
  if (title && page.dataset.titled !== "1") {
    page.dataset.titled = "1";
    document.title = document.title.replace(/^.*( · [^·]*)$/, `${title}$1`);
  }
  focusErrors();
});

// A second click on a sent form sends nothing twice.
document.addEventListener("submit", (event) => {
  const form = event.target as HTMLFormElement;
  if (form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-sent]")) {
    delete form.dataset.sent;
  }
});

dialogs();
popups();
focusErrors();
