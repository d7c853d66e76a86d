"use strict";

// The rows stand in lists of so many, as the server sends them: a browser leaves out whole lists that are out of sight.
const ROWS_OF_LIST = 20;
// So many lists stay in the document while new rows come; the older ones are loaded again when they are wanted.
const MAX_LISTS = 10;
// Rows that wait to be shown: on a busy server, the oldest of them are dropped.
const MAX_WAITING = 1000;
// Rows added at once, and the time until the next new ones: a few, so that no task is long.
const ROWS_AT_ONCE = 5;
const PAUSE_MS = 100;

const element = id => document.getElementById(id);

function newList() {
  const list = document.createElement("ol");
  list.className = "list";
  return list;
}

function startJournal() {
  const calls = element("calls");
  if (!calls || !calls.dataset.events) return;
  const live = element("live");
  const pause = element("pause");
  const newer = element("newer");
  const waiting = [];
  let source = null;
  let isPaused = false;
  let isAway = false;
  let isScheduled = false;
  let last = null;
  let lost = 0;

  function report() {
    const more = lost ? `, ${lost} not shown: reload the page` : "";
    live.textContent = isPaused ? `Paused, ${waiting.length} new${more}` : `Live${more}`;
    offer();
  }

  function offer() {
    newer.hidden = isPaused || !isAway || !waiting.length;
    newer.textContent = `${waiting.length} new call${waiting.length === 1 ? "" : "s"}`;
  }

  function addSome() {
    isScheduled = false;
    if (isPaused || isAway || !calls.isConnected) return;
    const isBusy = waiting.length > ROWS_AT_ONCE;
    const template = document.createElement("template");
    template.innerHTML = waiting.splice(0, ROWS_AT_ONCE).reverse().join("");
    if (!isBusy) for (const row of template.content.children) row.classList.add("new");
    const first = calls.firstElementChild;
    const isFull = !first || first.childElementCount + template.content.childElementCount > ROWS_OF_LIST;
    if (isFull) calls.prepend(newList());
    calls.firstElementChild.prepend(template.content);
    if (calls.childElementCount > MAX_LISTS) {
      calls.lastElementChild.remove();
      continueAfter(calls.lastElementChild.lastElementChild.dataset.id);
    }
    element("empty").hidden = true;
    report();
    schedule();
  }

  function continueAfter(id) {
    const older = element("older");
    const url = new URL(older.href);
    url.searchParams.set("before", id);
    older.href = url;
    if (older.parentElement.hidden) {
      older.parentElement.hidden = false;
      startOlder();
    }
  }

  function schedule() {
    if (isScheduled || isPaused || isAway || !waiting.length) return;
    isScheduled = true;
    setTimeout(() => requestAnimationFrame(addSome), PAUSE_MS);
  }

  function connect() {
    const url = new URL(calls.dataset.events, location.href);
    if (last) url.searchParams.set("after", last);
    source = new EventSource(url);
    source.onopen = report;
    source.onerror = () => { live.textContent = "Not connected"; };
    source.addEventListener("row", event => {
      last = event.lastEventId;
      waiting.push(event.data);
      if (waiting.length > MAX_WAITING) lost += waiting.splice(0, waiting.length - MAX_WAITING).length;
      if (isPaused) report();
      else offer();
      schedule();
    });
    source.addEventListener("lost", event => {
      lost += JSON.parse(event.data).lost;
      report();
    });
  }

  function disconnect() {
    if (source) source.close();
    source = null;
  }

  // Rows that came above those that are read would push them away.
  new IntersectionObserver(entries => {
    isAway = !entries.at(-1).isIntersecting;
    offer();
    schedule();
  }).observe(live.parentElement);
  pause.hidden = false;
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.textContent = isPaused ? "Resume" : "Pause";
    report();
    schedule();
  });
  // A browser has six connections to a server; a hidden tab needs none.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) disconnect();
    else if (!source && calls.isConnected) connect();
  });
  addEventListener("pagehide", disconnect);
  connect();
}

// Older calls come when the end of the list is near, so that a thousand of them cost nothing until they are wanted.
function startOlder() {
  const older = element("older");
  if (!older || older.parentElement.hidden) return;
  new IntersectionObserver(async ([entry], observer) => {
    if (!entry.isIntersecting) return;
    observer.disconnect();
    const { page } = await load(older.href).catch(() => ({}));
    const next = page?.getElementById("older");
    // Where the rows cannot be had, the link is left.
    if (!next) return;
    const rows = [...page.querySelectorAll("#calls .call")];
    const list = newList();
    element("calls").append(list);
    const add = () => {
      list.append(...rows.splice(0, ROWS_AT_ONCE));
      if (rows.length) return requestAnimationFrame(add);
      older.href = next.href;
      older.parentElement.hidden = next.parentElement.hidden;
      startOlder();
    };
    add();
  }, { rootMargin: "600px" }).observe(older);
}

function startCopying() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(element(button.dataset.copy).textContent);
      button.textContent = "Copied";
    });
  }
}

function startPreviews() {
  for (const input of document.querySelectorAll("[data-preview]")) {
    const zone = input.parentElement;
    input.addEventListener("dragenter", () => zone.classList.add("over"));
    for (const name of ["dragleave", "drop"]) input.addEventListener(name, () => zone.classList.remove("over"));
    const show = () => {
      const items = [...input.files].map(file => {
        const item = document.createElement("li");
        const image = document.createElement("img");
        image.src = URL.createObjectURL(file);
        image.alt = image.title = file.name;
        image.onload = image.onerror = () => URL.revokeObjectURL(image.src);
        item.append(image);
        return item;
      });
      element(input.dataset.preview).replaceChildren(...items);
    };
    input.addEventListener("change", show);
    if (input.files.length) show();
  }
}

// The key of --control-key, kept for this tab. With one, this script loads the pages, since a browser sends no key of its own.
const KEY = "bodydouble-control-key";

async function load(url, options = {}) {
  const key = sessionStorage.getItem(KEY);
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  const answer = await fetch(url, { ...options, headers: { Accept: "text/html", ...headers } });
  return { answer, page: new DOMParser().parseFromString(await answer.text(), "text/html") };
}

async function visit(url, options, isBack = false) {
  let answer, page;
  try {
    ({ answer, page } = await load(url, options));
  } catch (error) {
    const notice = document.createElement("p");
    notice.className = "notice bad";
    notice.setAttribute("role", "alert");
    notice.textContent = `The server cannot be reached: ${error.message}`;
    element("main").prepend(notice);
    return;
  }
  if (answer.status === 401) sessionStorage.removeItem(KEY);
  const message = page.getElementById("key-problem");
  if (message && element("key-form")) message.hidden = false;
  document.title = page.title;
  document.body.replaceWith(page.body);
  if (!isBack && answer.url !== location.href) history.pushState(null, "", answer.url);
  if (!isBack) scrollTo(0, 0);
  start();
  (element("key") || element("main")).focus();
}

function isOfThePage(url) {
  return url.origin === location.origin && url.pathname.startsWith("/_bodydouble/") && !url.searchParams.has("proof");
}

async function swap(form) {
  const target = element(form.dataset.swap);
  const button = form.querySelector("button.primary");
  button.disabled = true;
  target.setAttribute("aria-busy", "true");
  try {
    const { page } = await load(form.action, { method: "POST", body: new FormData(form) });
    target.replaceChildren(...page.getElementById(form.dataset.swap).childNodes);
    startCopying();
  } catch (error) {
    target.textContent = `The server cannot be reached: ${error.message}`;
  } finally {
    button.disabled = false;
    target.removeAttribute("aria-busy");
  }
}

document.addEventListener("submit", event => {
  const form = event.target;
  if (form.id === "key-form") {
    event.preventDefault();
    sessionStorage.setItem(KEY, element("key").value);
    visit(location.href);
  } else if (form.dataset.swap) {
    event.preventDefault();
    swap(form);
  } else if (sessionStorage.getItem(KEY)) {
    event.preventDefault();
    const fields = new URLSearchParams(new FormData(form));
    if (form.method === "get") visit(`${form.action.split("?")[0]}?${fields}`);
    else visit(form.action, { method: "POST", body: fields });
  }
});

document.addEventListener("click", event => {
  const link = event.target.closest("a[href]");
  if (!link || !sessionStorage.getItem(KEY) || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (link.getAttribute("href").startsWith("#") || !isOfThePage(new URL(link.href))) return;
  event.preventDefault();
  visit(link.href);
});

addEventListener("popstate", () => {
  if (sessionStorage.getItem(KEY)) visit(location.href, {}, true);
});

function start() {
  startJournal();
  startOlder();
  startCopying();
  startPreviews();
}

if (element("key-form") && sessionStorage.getItem(KEY)) visit(location.href);
else start();
