// What updates embed of others is loaded when a reader asks for it, in a frame of this site's own (/frames). A reader may
// allow a provider once for all; then one click is enough. Without this script there is a link.

const ALLOWED = "slugline-providers";

function allowed() {
  try {
    return JSON.parse(localStorage.getItem(ALLOWED)) ?? [];
  } catch {
    return [];
  }
}

function allow(provider) {
  try {
    localStorage.setItem(ALLOWED, JSON.stringify([...new Set([...allowed(), provider])]));
  } catch {
    // A browser that keeps nothing asks again.
  }
}

function offer(card) {
  const id = card.closest("[data-id]")?.dataset.id;
  const { provider, embed } = card.dataset;
  if (!id || card.dataset.offered) return;
  card.dataset.offered = "true";
  const isKnown = allowed().includes(provider);
  const bar = document.createElement("div");
  bar.className = "embed-offer";
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "action", textContent: t("Load from %(provider)s", { provider }) });
  bar.append(button);
  const always = document.createElement("input");
  always.type = "checkbox";
  if (!isKnown) {
    const label = document.createElement("label");
    label.append(always, ` ${t("Do not ask again for %(provider)s", { provider })}`);
    const note = document.createElement("p");
    note.textContent = t("%(provider)s may then see your address and set cookies.", { provider });
    bar.append(label, note);
  }
  button.addEventListener("click", () => {
    if (always.checked) allow(provider);
    const frame = document.createElement("iframe");
    Object.assign(frame, { src: `/frames/${id}/${embed}`, title: card.textContent.trim().slice(0, 100) || provider, allow: "fullscreen; encrypted-media; picture-in-picture" });
    bar.replaceWith(frame);
    frame.focus();
  });
  card.append(bar);
}

function offerAll() {
  for (const card of document.querySelectorAll(".embed:not([data-offered])")) offer(card);
}

offerAll();
new MutationObserver(offerAll).observe(document.querySelector("main"), { childList: true, subtree: true });
