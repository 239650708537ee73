// Puts the times of a page on the reader's own clock, with the zone in the title; what is younger than an hour is told in
// minutes. Each day of a feed begins with its date. Without this script both are by the newsroom's clock.

const MINUTE_MS = 60_000;

// As the server writes times: hours to 24, and English dates with the day first.
const { lang } = document.documentElement;
const locale = lang === "en" ? "en-GB" : lang ? `${lang}-u-nu-latn` : undefined;
const hourCycle = "h23";
const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle });
const whole = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "short", hourCycle });
const zoned = new Intl.DateTimeFormat(locale, {
  day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle, timeZoneName: "long",
});
const short = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle });
const weekday = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const dayOf = (moment) => moment.toLocaleDateString("sv-SE"); // 2026-11-28
const publishedAt = (element) => new Date(element.querySelector(".stamp time").dateTime);

function tellTimes(root) {
  for (const time of root.querySelectorAll("time.clock, time.full, time.since")) {
    const moment = new Date(time.dateTime);
    const minutes = Math.floor((Date.now() - moment) / MINUTE_MS);
    const isShort = time.classList.contains("clock") && !isOfAnotherDay(time, moment);
    const isSince = time.classList.contains("since");
    const isToday = dayOf(moment) === dayOf(new Date());
    let told = isShort || (isSince && isToday) ? clock.format(moment) : isSince ? short.format(moment) : whole.format(moment);
    if ((isShort || isSince) && minutes >= 0 && minutes < 60) {
      told = minutes < 1 ? t("Just now") : tn("%(num)s min ago", "%(num)s min ago", minutes);
    }
    if (time.textContent !== told) time.textContent = told;
    time.title = zoned.format(moment);
  }
}

// "(Updated: …)" stands under the day on which its update was published; on the reader's clock it may be of another.
function isOfAnotherDay(time, moment) {
  const stamp = time.closest(".updated")?.parentElement.querySelector("time:not(.updated time)");
  return Boolean(stamp) && dayOf(new Date(stamp.dateTime)) !== dayOf(moment);
}

// Each day of the feed begins with its date, as on the server, but by the reader's own midnight.
function tellDays() {
  const feed = document.getElementById("feed");
  if (!feed) return;
  let last = "";
  for (const item of feed.querySelectorAll(":scope > .item")) {
    const moment = publishedAt(item);
    const day = dayOf(moment);
    let head = item.previousElementSibling;
    if (!head?.classList.contains("day")) head = null;
    if (day === last) head?.remove();
    else if (head) tellDay(head, day, moment);
    else item.before(tellDay(elementOf('<li class="day"><time></time></li>'), day, moment));
    last = day;
  }
  for (const head of feed.querySelectorAll(":scope > .day")) {
    if (!head.nextElementSibling?.classList.contains("item")) head.remove();
  }
}

function tellDay(head, day, moment) {
  if (head.dataset.day === day) return head;
  head.dataset.day = day;
  head.firstElementChild.dateTime = day;
  head.firstElementChild.textContent = weekday.format(moment);
  return head;
}

function elementOf(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

function tell() {
  tellTimes(document.body);
  tellDays();
}

// Whatever puts something into the page need not know of this script. What is told already is not touched again.
new MutationObserver(tell).observe(document.body, { childList: true, subtree: true });
setInterval(tell, MINUTE_MS / 2);
tell();
