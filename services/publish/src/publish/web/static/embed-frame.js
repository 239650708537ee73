// Tells the page around a frame how high its content is. It is a number, so any page may hear it.
const tell = () => {
  if (window.parent !== window) {
    window.parent.postMessage({ slugline: { height: document.documentElement.getBoundingClientRect().height } }, "*");
  }
};
new ResizeObserver(tell).observe(document.documentElement);
tell();
