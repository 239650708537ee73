// Polls: a vote without leaving the page, and results that follow, every two seconds while somebody looks at them. Results
// are shown to those who have voted here, or when the poll is closed. Without this script the form leads to a page of its own.

const VOTED = "slugline-voted";
const EVERY_MS = navigator.connection?.saveData ? 30_000 : 2_000;
const MOST_NOTED = 200;

const votedIn = () => {
  try {
    return JSON.parse(localStorage.getItem(VOTED)) ?? [];
  } catch {
    return [];
  }
};
const note = (poll) => {
  try {
    localStorage.setItem(VOTED, JSON.stringify([poll, ...votedIn().filter((each) => each !== poll)].slice(0, MOST_NOTED)));
  } catch {
    // A browser that keeps nothing shows the form again; the server knows.
  }
};
const isClosed = (form) => Boolean(form.dataset.closes) && Date.parse(form.dataset.closes) <= Date.now();

function showResults(form, { total, votes, open }) {
  for (const label of form.querySelectorAll(".poll-option")) {
    label.dataset.share = `${Math.round((100 * (votes[label.dataset.option] ?? 0)) / Math.max(1, total))}%`;
    label.querySelector("input").disabled = true;
  }
  form.querySelector("button").hidden = true;
  form.dataset.shown = open ? "open" : "closed";
  let words = form.querySelector(".poll-total");
  if (!words) {
    words = Object.assign(document.createElement("span"), { className: "poll-total" });
    form.querySelector("button").after(words);
  }
  words.textContent = tn("%(num)s vote", "%(num)s votes", total);
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-poll]");
  if (!form) return;
  event.preventDefault();
  const region = document.getElementById("announce");
  const headers = { Accept: "application/json" };
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers });
    if (!answer.ok) throw new Error(answer.status);
    const results = await answer.json();
    note(form.dataset.poll);
    showResults(form, results);
    const words = { counted: t("Your vote is counted."), again: t("This browser has voted already."), closed: t("This poll is closed.") };
    if (region) region.textContent = words[results.said];
  } catch {
    form.submit(); // the server's own page says what is wrong
  }
});

async function refresh() {
  if (document.visibilityState !== "visible") return;
  const noted = votedIn();
  for (const form of document.querySelectorAll("[data-poll]")) {
    const { top, bottom } = form.getBoundingClientRect();
    const isWanted = noted.includes(form.dataset.poll) || isClosed(form);
    if (!isWanted || form.dataset.shown === "closed" || bottom < 0 || top > innerHeight) continue;
    try {
      const answer = await fetch(`/v1/polls/${form.dataset.poll}`);
      if (answer.ok) showResults(form, await answer.json());
    } catch {
      return; // the next turn tries again
    }
  }
}

const turn = () => refresh().finally(() => setTimeout(turn, EVERY_MS));
turn();
