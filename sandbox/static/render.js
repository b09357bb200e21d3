// From a message to elements. Texts only ever become text nodes: no message can inject markup.

import { timeOf, words } from "/static/words.js";

const TAGS = {
  bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote",
};
const SAFE_ADDRESS = /^(https?|tg):\/\//i;

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** The payload of a link that opens the bot: https://t.me/<bot>?start=<payload>. */
export function startPayload(url, bot) {
  const match = /^(?:https?:\/\/t\.me\/|tg:\/\/resolve\?domain=)(\w+)[?&]start=([\w-]{1,64})$/.exec(url);
  return match && match[1] === bot ? match[2] : null;
}

function link(url, children, actions) {
  if (!SAFE_ADDRESS.test(url)) return element("span", {}, ...children);
  const made = element("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, ...children);
  made.addEventListener("click", (event) => actions.open(url, event));
  return made;
}

function wrapped(entity, text, children, actions) {
  if (entity.type in TAGS) return element(TAGS[entity.type], {}, ...children);
  if (entity.type === "text_link") return link(entity.url, children, actions);
  if (entity.type === "url") return link(text, children, actions);
  if (entity.type === "bot_command") {
    const made = element("button", { type: "button", className: "command-link" }, ...children);
    made.addEventListener("click", () => actions.command(text.replace(/@\w+$/, "")));
    return made;
  }
  if (entity.type === "spoiler") {
    const made = element("span", { className: "spoiler", tabIndex: 0, role: "button" }, ...children);
    const show = () => made.classList.add("shown");
    made.addEventListener("click", show);
    made.addEventListener("keydown", (event) => event.key === "Enter" && show());
    return made;
  }
  return element("span", {}, ...children);
}

/** Formatted text as nodes. Entities count UTF-16 units, as JavaScript does, outer ones first. */
export function formatted(text, entities, actions) {
  const sorted = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  let next = 0;
  function between(start, end) {
    const nodes = [];
    let at = start;
    while (next < sorted.length && sorted[next].offset < end) {
      const entity = sorted[next++];
      const from = Math.max(entity.offset, at);
      const to = Math.min(entity.offset + entity.length, end);
      if (to <= from) continue;
      if (from > at) nodes.push(text.slice(at, from));
      nodes.push(wrapped(entity, text.slice(from, to), between(from, to), actions));
      at = to;
    }
    if (at < end) nodes.push(text.slice(at, end));
    return nodes;
  }
  return between(0, text.length);
}

function picture(photo, caption, actions) {
  const address = `/page/photo/${encodeURIComponent(photo.id)}`;
  const image = element("img", { src: address, width: photo.width, height: photo.height, alt: caption || words.photo });
  const made = element("button", { type: "button", className: "photo", ariaLabel: words.enlarge }, image);
  made.addEventListener("click", () => actions.enlarge(address, caption));
  return made;
}

function key(button, chat, message, actions) {
  if (button.url) {
    const made = link(button.url, [button.text], actions);
    made.className = "key";
    if (startPayload(button.url, actions.bot()) === null) {
      made.append(element("span", { className: "away", ariaHidden: "true" }, "↗"));
    }
    return made;
  }
  const made = element("button", { type: "button", className: "key" }, button.text);
  made.dataset.callback = button.callback_data;
  made.addEventListener("click", () => actions.tap(chat, message, button.callback_data, made));
  return made;
}

function keyboard(chat, message, actions) {
  const rows = message.buttons.map((row) =>
    element("div", { className: "row" }, ...row.map((button) => key(button, chat, message, actions))));
  return element("div", { className: "keys" }, ...rows);
}

function bubble(message, actions) {
  const made = element("div", { className: "bubble" });
  if (message.photo) made.append(picture(message.photo, message.text, actions));
  if (message.text) {
    made.append(element("div", { className: "words" }, ...formatted(message.text, message.entities, actions)));
  }
  const meta = element("span", { className: "meta" });
  if (message.edited) meta.append(element("span", { className: "edited" }, words.edited));
  meta.append(element("time", { dateTime: new Date(message.at).toISOString() }, timeOf(message.at)));
  made.append(meta);
  made.style.setProperty("--meta-width", message.edited ? "92px" : "48px");
  return made;
}

/** One message with its picture, words, time and buttons. */
export function messageElement(chat, message, actions) {
  const made = element("article", { className: "message" });
  made.dataset.messageId = message.id;
  made.classList.toggle("mine", message.mine);
  made.classList.toggle("with-photo", Boolean(message.photo));
  made.classList.toggle("no-words", !message.text);
  const stack = element("div", { className: "stack" }, bubble(message, actions));
  stack.classList.toggle("wide", Boolean(message.photo) || message.buttons.length > 0);
  if (message.buttons.length) stack.append(keyboard(chat, message, actions));
  made.append(stack);
  return made;
}
