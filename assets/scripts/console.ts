// The console with script: lists that swap in place, dialogues, small menus. Each page works
// without any of it.
import htmx from "htmx.org/dist/htmx.esm.js";
import { dialogs } from "./dialog";
import { drafts } from "./drafts";
import { focusErrors } from "./focus";
import { keys } from "./keys";
import { lists } from "./lists";
import { popups } from "./popup";
import { suggestions } from "./suggest";
import { say } from "./toast";
import { trees } from "./tree";

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

// Gone, forbidden or failed: a look leads to the server's own page with its own words; what was
// typed into a form stays where it is.
document.addEventListener("htmx:responseError", (event) => {
  const { requestConfig, xhr } = (event as CustomEvent).detail;
  if (requestConfig?.verb === "get") location.href = requestConfig.path;
  else say(`没有提交成功（${xhr.status}），填写的内容还在。请稍后重试，或刷新页面。`);
});
document.addEventListener("htmx:sendError", () => say("网络不通，请检查后重试。"));

// A swapped body brings its own title and takes the reader along.
document.addEventListener("htmx:afterSwap", (event) => {
  const page = document.getElementById("page");
  // What had the focus is gone with the old body.
  if ((event as CustomEvent).detail.target?.id === "page") page?.focus();
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
lists();
popups();
drafts();
keys();
suggestions();
trees();
focusErrors();
