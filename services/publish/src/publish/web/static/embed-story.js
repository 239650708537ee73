// <slugline-story story="flood" limit="10">: a live list in a shadow tree. Words of sources are put in as text, never as HTML.
import { compare, follow } from "./client.js";

// The words of the site's language, by the English ones below; the server puts them in.
const WORDS = {};
const t = (word) => WORDS[word] ?? word;

const SITE = new URL(import.meta.url).origin;
const STYLE = `
:host { display: block; color: var(--slugline-color, #1d1a18); background: var(--slugline-background, #fdfcfa);
  font: var(--slugline-size, 1rem)/1.5 var(--slugline-font, system-ui, sans-serif); border: 1px solid var(--slugline-line, #d9d3cb); }
@media (prefers-color-scheme: dark) { :host { color: var(--slugline-color, #ece7e1); background: var(--slugline-background, #161412);
  border-color: var(--slugline-line, #3a3530); } }
[part="header"], footer, li { padding: 0.75em 1em; }
[part="header"] { font-weight: 700; border-block-end: 3px solid var(--slugline-accent, #a3131c); }
ol { list-style: none; margin: 0; padding: 0; }
li { border-block-end: 1px solid var(--slugline-line, #d9d3cb); overflow-wrap: anywhere; }
[part="header"], .title, p { margin: 0; font-size: 1em; }
.title { font-weight: 700; }
a { color: inherit; }
.meta, footer { font-size: 0.85em; color: var(--slugline-muted, #5f574f); }
.block { white-space: pre-line; margin-block-start: 0.5em; padding-inline-start: 0.75em; border-inline-start: 2px solid var(--slugline-line, #d9d3cb); }
.key { color: var(--slugline-accent, #a3131c); font-weight: 700; }
@media (prefers-color-scheme: dark) { .meta, footer { color: var(--slugline-muted, #b4aca3); } .key { color: var(--slugline-accent, #ff8a73); } }
`;

const make = (name, text, attributes = {}) => {
  const element = document.createElement(name);
  if (text) element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) if (value) element.setAttribute(key, value);
  return element;
};
const clock = (moment) => {
  const at = new Date(moment);
  const today = at.toDateString() === new Date().toDateString();
  return make("time", at.toLocaleString([], today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" }), {
    datetime: moment,
  });
};

// What a typed block says, a line each; polls are voted in on their page.
const linesOf = (block) =>
  ({
    "fact-box": () => [block.title, ...block.facts.map((fact) => `• ${fact}`)],
    quote: () => [`“${block.text}”`, [block.speaker, block.role].filter(Boolean).join(", ")],
    "question-answer": () => [block.question, block.answer],
    score: () => [block.title, ...block.sides.map((side) => `${side.name} ${side.score}`), block.note],
    poll: () => [block.question],
  })[block.kind]?.() ?? [];

class SluglineStory extends HTMLElement {
  #items = new Map();
  #stop = null;
  #hasMore = false;

  connectedCallback() {
    if (!this.#stop && (this.getAttribute("story") || this.getAttribute("update"))) this.#follow();
  }

  #follow() {
    const story = this.getAttribute("story");
    const update = this.getAttribute("update");
    this.limit = Math.min(Math.max(Number(this.getAttribute("limit")) || 10, 1), 100);
    this.page = `${SITE}${story ? `/stories/${encodeURIComponent(story)}` : `/updates/${encodeURIComponent(update)}`}`;
    this.#stop = follow(SITE, {
      channel: story ? `story:${story}` : `update:${update}`,
      limit: this.limit,
      snapshot: (updates) => this.#show(updates),
      update: (data) => this.#put(data),
      remove: (id) => this.#remove(id),
      state: (state) => this.setAttribute("state", state),
    });
  }

  disconnectedCallback() {
    this.#stop?.();
    this.#stop = null;
  }

  #build() {
    const root = this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    const level = Math.min(Math.max(Number(this.getAttribute("level")) || 2, 1), 5);
    this.itemHeading = `h${level + 1}`;
    this.head = make(`h${level}`, "", { part: "header" });
    this.head.append(make("a", t("Live updates"), { href: this.page, target: "_top" }));
    this.list = make("ol", "", { part: "list", "aria-label": t("Live updates") });
    const foot = make("footer", "", { part: "footer" });
    foot.append(make("a", new URL(SITE).host, { href: this.page, target: "_top" }));
    root.append(this.head, this.list, foot);
  }

  // Until there is something to show, what the page has within the element stays, as it does without scripts.
  #show(updates) {
    if (!this.shadowRoot) {
      this.#build();
      this.replaceChildren();
    }
    this.#hasMore = updates.length >= this.limit;
    this.#items.clear();
    this.list.replaceChildren();
    for (const update of updates) this.#put(update);
    if (!updates.length) this.#empty();
  }

  #put(update) {
    const known = this.#items.get(update.update_id);
    if (known && known.revision > update.revision) return;
    if (update.story?.label) this.head.firstChild.textContent = update.story.label;
    const item = this.#item(update);
    this.list.querySelector(".empty")?.remove();
    if (known) {
      known.item.replaceWith(item);
    } else {
      const older = [...this.#items.values()].filter(({ position }) => compare(position, update.position) < 0);
      const next = older.reduce((a, b) => (a && compare(a.position, b.position) > 0 ? a : b), null);
      this.list.insertBefore(item, next ? next.item : null);
    }
    this.#items.set(update.update_id, { item, revision: update.revision, position: update.position });
    while (this.#items.size > this.limit) {
      this.#hasMore = true;
      this.#take(this.list.lastElementChild.dataset.id);
    }
  }

  // What is taken away makes room for an older one, which the server knows.
  #remove(id) {
    if (!this.#items.has(id)) return;
    this.#take(id);
    if (!this.#hasMore) return;
    this.#hasMore = false;
    this.#stop();
    this.#follow();
  }

  #take(id) {
    this.#items.get(id)?.item.remove();
    this.#items.delete(id);
    if (!this.#items.size) this.#empty();
  }

  #empty() {
    this.list.replaceChildren(make("li", t("Nothing to show here now."), { class: "empty" }));
  }

  #item(update) {
    const item = make("li", "", { "data-id": update.update_id, lang: update.language, dir: update.direction, part: "item" });
    const meta = make("p", "", { class: "meta", dir: "auto" });
    if (update.key_event) meta.append(make("span", `${t("Key event")} `, { class: "key" }));
    meta.append(clock(update.first_published_at));
    if (update.updated_at) meta.append(` (${t("Updated:")} `, clock(update.updated_at), ")");
    item.append(meta);
    if (update.headline) {
      const title = make(this.itemHeading, "", { class: "title" });
      title.append(make("a", update.headline, { href: update.url, target: "_top" }));
      item.append(title);
    }
    const text = update.text.length > 400 ? update.excerpt || `${update.text.slice(0, 400)}…` : update.text;
    const words = make("p", text);
    const blocks = update.blocks ?? [];
    const more = !update.headline || text !== update.text || blocks.some((block) => block.kind === "poll");
    if (more) words.append(" ", make("a", t("Continue reading"), { href: update.url, target: "_top" }));
    item.append(words);
    for (const block of blocks) item.append(make("p", linesOf(block).filter(Boolean).join("\n"), { class: "block", part: "block" }));
    return item;
  }
}

if (!customElements.get("slugline-story")) customElements.define("slugline-story", SluglineStory);
