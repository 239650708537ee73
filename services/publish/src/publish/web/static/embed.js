// Puts a live story into a page of any site: <script async src="https://…/embed.js" data-story="flood"></script>
// See https://…/docs#embed. It loads one module, makes no global, and keeps frames of this site as high as their content.
(() => {
  const script = document.currentScript;
  const site = new URL(script.src).origin;
  const { story, update, limit } = script.dataset;
  if (story || update) {
    const element = document.createElement("slugline-story");
    for (const [name, value] of Object.entries({ story, update, limit })) if (value) element.setAttribute(name, value);
    script.after(element);
  }
  import(`${site}/embed-story.js`).catch((error) => console.warn("slugline: this site may not embed", error));
  window.addEventListener("message", ({ origin, source, data }) => {
    if (origin !== site || !(data?.slugline?.height > 0)) return;
    for (const frame of document.querySelectorAll("iframe")) {
      if (frame.contentWindow === source) frame.style.height = `${Math.min(Math.ceil(data.slugline.height), 20_000)}px`;
    }
  });
})();
