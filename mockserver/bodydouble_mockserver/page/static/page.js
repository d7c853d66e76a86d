"use strict";

// So many rows stay in the document; the older ones are a click away.
const MAX_ROWS = 1000;
// Rows added in one frame: a few, so that no task is long.
const ROWS_PER_FRAME = 10;

const element = id => document.getElementById(id);

function startJournal() {
  const calls = element("calls");
  if (!calls || !calls.dataset.events) return;
  const live = element("live");
  const pause = element("pause");
  const waiting = [];
  let source = null;
  let isPaused = false;
  let isScheduled = false;
  let last = null;
  let lost = 0;

  function report() {
    const more = lost ? `, ${lost} came too fast to be shown: reload` : "";
    live.textContent = isPaused ? `Paused, ${waiting.length} new${more}` : `Live${more}`;
  }

  function addSome() {
    isScheduled = false;
    if (isPaused || !calls.isConnected) return;
    const template = document.createElement("template");
    template.innerHTML = waiting.splice(0, ROWS_PER_FRAME).reverse().join("");
    for (const row of template.content.children) row.classList.add("new");
    calls.prepend(template.content);
    while (calls.children.length > MAX_ROWS) calls.lastElementChild.remove();
    element("empty").hidden = calls.children.length > 0;
    report();
    schedule();
  }

  function schedule() {
    if (isScheduled || isPaused || !waiting.length) return;
    isScheduled = true;
    requestAnimationFrame(addSome);
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
      if (waiting.length > MAX_ROWS) lost += waiting.splice(0, waiting.length - MAX_ROWS).length;
      if (isPaused) report();
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

function start() {
  startJournal();
  startCopying();
}

start();
