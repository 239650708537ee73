// The words of this page's language: the page brings them in <script id="words">, by the English ones that stand in the
// scripts. What is lacking there is said in English.

const words = JSON.parse(document.getElementById("words")?.textContent || "{}");
const language = document.documentElement.lang || "en";
const pluralOf = new Intl.PluralRules(language);

const filled = (text, values) => text.replace(/%\((\w+)\)s/g, (whole, name) => values[name] ?? whole);

// A word or sentence; `values` take the places of %(name)s.
function t(word, values = {}) {
  return filled(words[word] ?? word, values);
}

// What fits a count, which takes the place of %(num)s.
function tn(one, other, count, values = {}) {
  const forms = words[one];
  const form = forms && (forms[words[""].indexOf(pluralOf.select(count))] ?? forms.at(-1));
  return filled(form || (count === 1 ? one : other), { num: count, ...values });
}
