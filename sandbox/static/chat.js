// The page: which chat is open, what is unread, and what happens on a tap.

import { Composer } from "/static/composer.js";
import { Live, post } from "/static/live.js";
import { Log } from "/static/log.js";
import { element, startPayload } from "/static/render.js";
import { listTime, marketTime, words } from "/static/words.js";

const ICONS = {
  private: "M4 7.5h16M12 7.5V4M7 7.5h10a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2v-8a2 2 0 0 1 2-2zM9.500 12v1.500M14.500 12v1.500",
  channel: "M4 10v4h3l7 4.500v-13L7 10zM17.500 9a4 4 0 0 1 0 6M8 14.500l1.500 5",
};
const TAP_PATIENCE_MS = 12_000;
const TYPING_MS = 5000;
const TOAST_MS = 3200;

const part = (id) => document.getElementById(id);
const chats = new Map();
const taps = new Map();
const early = new Map();
let current = null;
let bot = "";
let run = 0;
let typing = 0;

// What a message can ask for

const actions = {
  bot: () => bot,
  command: (text) => sendTo(privateChat(), text),
  enlarge(address, caption) {
    part("viewer-image").src = address;
    part("viewer-image").alt = caption;
    part("viewer").showModal();
  },
  open(url, event) {
    const payload = startPayload(url, bot);
    if (payload === null) return;
    event.preventDefault();
    sendTo(privateChat(), `/start ${payload}`);
  },
  async tap(chat, message, data, button) {
    if (button.ariaBusy === "true") return;
    button.ariaBusy = "true";
    const release = () => { button.ariaBusy = null; };
    const timer = setTimeout(release, TAP_PATIENCE_MS);
    const answer = await post("/page/tap", { chat_id: chat.id, message_id: message.id, data });
    if (!answer) {
      clearTimeout(timer);
      release();
      toast(words.failed);
      return;
    }
    const finish = () => { clearTimeout(timer); release(); };
    if (early.delete(answer.callback)) finish();
    else taps.set(answer.callback, finish);
  },
};

function privateChat() {
  return [...chats.values()].find((entry) => entry.chat.can_write);
}

async function sendTo(entry, text) {
  if (!entry) return false;
  open(entry);
  entry.log.follow();
  const answer = await post("/page/send", { chat_id: entry.chat.id, text });
  if (!answer) toast(words.failed);
  return Boolean(answer);
}

// What the sandbox tells

const events = {
  state(event) {
    bot = event.bot;
    if (run !== event.run) chats.forEach((entry) => { entry.read = 0; });
    run = event.run;
    for (const chat of event.chats) {
      const known = chats.get(chat.id);
      if (known) known.log.rebuild(chat.messages);
      else addChat(chat);
    }
    composer.setCommands(event.commands);
    showStatus(event.status);
    if (!current) open(chats.values().next().value);
    refresh();
  },
  message(event) {
    const entry = chats.get(event.chat);
    if (!event.message.mine) endTyping(entry);
    entry.log.put(event.message);
  },
  deleted: (event) => chats.get(event.chat).log.remove(event.id),
  commands: (event) => composer.setCommands(event.commands),
  status: (event) => showStatus(event.status),
  action(event) {
    const entry = chats.get(event.chat);
    entry.isTyping = true;
    clearTimeout(typing);
    typing = setTimeout(() => endTyping(entry), TYPING_MS);
    refresh();
  },
  answer(event) {
    const finish = taps.get(event.callback);
    if (finish) finish();
    else early.set(event.callback, true);
    taps.delete(event.callback);
    if (event.text) (event.alert ? alertWith : toast)(event.text);
  },
};

function endTyping(entry) {
  entry.isTyping = false;
  refresh();
}

function showStatus(status) {
  part("status").hidden = Object.keys(status).length === 0;
  part("status-label").textContent = status.market_time ? words.marketTime : "";
  part("market-time").textContent = marketTime(status.market_time ?? "");
  part("speed").textContent = status.speed ? `×${status.speed.replace(/^[×x]|[x×]$/g, "")}` : "";
  part("note").textContent = status.note ?? "";
}

function toast(text) {
  const made = element("div", { className: "toast" }, text);
  part("toasts").append(made);
  setTimeout(() => made.remove(), TOAST_MS + text.length * 30);
}

function alertWith(text) {
  part("alert-text").textContent = text;
  if (!part("alert").open) part("alert").showModal();
}

// Chats

// a restarted sandbox counts its messages anew
const readKey = (chat) => `read ${run} ${chat.id}`;
const remembered = (chat) => Number(sessionStorage.getItem(readKey(chat)) ?? 0);

function icon(kind) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[kind] ?? ICONS.private);
  svg.append(path);
  return svg;
}

function avatar(into, kind) {
  into.dataset.kind = kind;
  into.replaceChildren(icon(kind));
}

function addChat(chat) {
  const tab = element("button", { type: "button", className: "chat", role: "tab" });
  tab.dataset.chat = chat.key;
  const picture = element("span", { className: "avatar", ariaHidden: "true" });
  avatar(picture, chat.kind);
  const [name, when, preview, badge] = ["name", "when", "preview", "badge"].map((className) => element("span", { className }));
  name.textContent = chat.title;
  tab.append(picture, name, when, preview, badge);
  const entry = { chat, tab, when, preview, badge, isTyping: false, read: remembered(chat) };
  entry.log = new Log(chat, actions, () => refresh());
  tab.addEventListener("click", () => open(entry));
  part("chats").append(tab);
  part("logs").append(entry.log.element);
  chats.set(chat.id, entry);
}

function open(entry) {
  if (current === entry) return;
  current = entry;
  for (const other of chats.values()) {
    other.tab.ariaSelected = String(other === entry);
    other.tab.tabIndex = other === entry ? 0 : -1;
    other.log.show(other === entry);
  }
  avatar(part("avatar"), entry.chat.kind);
  part("title").textContent = entry.chat.title;
  part("composer").hidden = !entry.chat.can_write;
  part("read-only").hidden = entry.chat.can_write;
  composer.focus();
  refresh();
}

part("chats").addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const entries = [...chats.values()];
  const entry = entries[(entries.indexOf(current) + step + entries.length) % entries.length];
  open(entry);
  entry.tab.focus();
});

// What is read, and everything small that follows from it

function unreadOf(entry) {
  if (!entry.log) return 0;
  return [...entry.log.messages.values()].filter((message) => !message.mine && message.id > entry.read).length;
}

function markRead(entry) {
  const newest = entry.log?.newest;
  if (!newest || document.hidden || !entry.log.isFollowing) return;
  entry.read = Math.max(entry.read, newest.id);
  sessionStorage.setItem(readKey(entry.chat), entry.read);
}

function previewOf(message) {
  const text = message.text.replace(/\s+/g, " ") || words.photo;
  return message.mine ? `${words.you}: ${text}` : text;
}

function refreshTab(entry) {
  const newest = entry.log.newest;
  const unread = unreadOf(entry);
  entry.when.textContent = newest ? listTime(newest.at) : "";
  entry.preview.textContent = newest ? previewOf(newest).slice(0, 120) : "";
  entry.badge.hidden = unread === 0;
  entry.badge.textContent = unread > 999 ? "999+" : unread;
}

function refresh() {
  if (!current || [...chats.values()].some((entry) => !entry.log)) return;
  markRead(current);
  chats.forEach(refreshTab);
  const total = [...chats.values()].reduce((sum, entry) => sum + unreadOf(entry), 0);
  document.title = total ? `(${total}) ticktalk` : "ticktalk";
  const isConnected = document.body.dataset.connected === "true";
  const kind = current.chat.can_write ? words.bot : words.channel;
  part("subtitle").textContent = !isConnected ? words.connecting : current.isTyping ? words.typing : kind;
  part("subtitle").classList.toggle("busy", !isConnected || current.isTyping);
  const chip = part("chip");
  chip.hidden = current.log.isFollowing;
  chip.classList.toggle("news", current.log.below > 0);
  part("chip-text").textContent = current.log.below ? words.newMessages(current.log.below) : "";
  chip.ariaLabel = current.log.below ? words.newMessages(current.log.below) : words.latest;
}

part("chip").addEventListener("click", () => current.log.follow());
part("viewer").addEventListener("click", () => part("viewer").close());
part("viewer-close").ariaLabel = words.close;
part("alert-accept").textContent = words.accept;
part("read-only").textContent = words.readOnly;
document.addEventListener("visibilitychange", refresh);

const composer = new Composer((text) => sendTo(current, text));
new Live(
  (event) => events[event.type]?.(event),
  (isConnected) => {
    if (document.body.dataset.connected === String(isConnected)) return;
    document.body.dataset.connected = String(isConnected);
    refresh();
  },
);
