// The glossary: first the words that the page shows at this moment, then the others, folded.
const SHOWN = '[data-testid="stMain"], [data-testid="stSidebar"]';

function collect(node, texts) {
  if (node.nodeType === Node.TEXT_NODE) texts.push(node.data);
  if (/^(style|script|annotation)$/i.test(node.nodeName)) return;
  for (const part of [...(node.shadowRoot?.childNodes ?? []), ...node.childNodes]) collect(part, texts);
}

// A form that begins with a small letter may begin with a capital; none stands inside another word.
const stands = (form, text) =>
  new RegExp(
    "(?<![A-Za-z0-9])" + form.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll(" ", "\\s+") + "s?(?![A-Za-z0-9₀-₉])",
    /^[a-z]/.test(form) ? "i" : "",
  ).test(text);

function list(words) {
  const dl = document.createElement("dl");
  for (const [name, , meaning] of words)
    dl.append(
      Object.assign(document.createElement("dt"), { textContent: name }),
      Object.assign(document.createElement("dd"), { textContent: meaning }),
    );
  return dl;
}

function draw({ data, parentElement }) {
  const texts = [];
  for (const place of document.querySelectorAll(SHOWN)) collect(place, texts);
  const text = texts.join("\n");
  const inSight = data.words.filter(([, forms]) => forms.some(form => stands(form, text)));
  const others = data.words.filter(word => !inSight.includes(word));
  const fold = document.createElement("details");
  fold.append(Object.assign(document.createElement("summary"), { textContent: `Other words (${others.length})` }));
  fold.append(list(others));
  const box = Object.assign(document.createElement("div"), { className: "words", tabIndex: 0 });
  box.append(list(inSight), fold);
  parentElement.querySelector(".words")?.remove();
  parentElement.append(box);
}
