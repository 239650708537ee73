// Asks /v1/push/monitor every two seconds, with the key that was given, which is kept for as long as the tab is open.
const EVERY_MS = 2000;
const KEPT = "monitor-key";
const at = (id) => document.getElementById(id);
let timer = 0;

const element = (name, text, className) => {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
};
const seconds = (value) => (value === null ? "–" : `${value.toFixed(value < 10 ? 2 : 0)} s`);

function sink(each) {
  const made = element("li", "", each.state);
  made.append(element("strong", `${each.sink}: ${each.state}`));
  made.append(element("small", `late: ${each.late}; 95 % within ${seconds(each.p95_s)}, allowed are ${each.deadline_s} s`));
  if (each.missed) made.append(element("small", each.missed, "late"));
  return made;
}

function publish(each, names) {
  const row = element("tr", "");
  row.append(element("td", new Date(each.published_at).toLocaleTimeString()));
  row.append(element("td", each.removal ? `(taken out of sight: ${each.update_id})` : each.headline, "headline"));
  row.append(element("td", String(each.revision)));
  for (const name of names) {
    const found = each.sinks[name];
    row.append(element("td", found ? `${found.state} ${seconds(found.after_s)}` : "", found ? found.state : ""));
  }
  return row;
}

function show(state) {
  const names = state.sinks.map((each) => each.sink);
  at("verdict").textContent = state.red.length
    ? `Readers miss what is published at: ${state.red.join(", ")}.`
    : state.publishes.length ? "What is published comes out." : "Nothing was published since the process started.";
  at("verdict").className = state.red.length ? "late" : "";
  at("sinks").replaceChildren(...state.sinks.map(sink));
  at("heads").replaceChildren(...["At", "Update", "Revision", ...names].map((name) => element("th", name)));
  at("publishes").replaceChildren(...state.publishes.map((each) => publish(each, names)));
  at("found").hidden = false;
}

async function ask() {
  const update = at("update").value.trim();
  const query = update ? `?update_id=${encodeURIComponent(update)}` : "";
  try {
    const answer = await fetch(`/v1/push/monitor${query}`, { headers: { Authorization: `Bearer ${sessionStorage.getItem(KEPT)}` } });
    const body = await answer.json();
    if (answer.ok) show(body);
    else at("verdict").textContent = body.detail || `It answers ${answer.status}.`;
  } catch {
    at("verdict").textContent = "No answer: whether copy comes out is not known.";
    at("verdict").className = "late";
  }
}

function begin() {
  clearInterval(timer);
  timer = setInterval(ask, EVERY_MS);
  ask();
}

at("open").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEPT, at("key").value.trim());
  begin();
});
if (sessionStorage.getItem(KEPT)) {
  at("key").value = sessionStorage.getItem(KEPT);
  begin();
}
