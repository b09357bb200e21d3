// The scrolling log of one chat: days, grouping, following the end, what is new.

import { element, messageElement } from "/static/render.js";
import { dayLabel, dayOf, words } from "/static/words.js";

const GROUP_MS = 5 * 60 * 1000;
const NEAR_END = 60;

export class Log {
  constructor(chat, actions, onChange) {
    this.chat = chat;
    this.actions = actions;
    this.onChange = onChange;
    this.messages = new Map();
    this.below = 0;
    this.top = 0;
    this.isFollowing = true;
    this.element = element("div", { className: "log", role: "log", tabIndex: 0, ariaLabel: chat.title, hidden: true });
    this.element.setAttribute("aria-live", "polite");
    this.element.dataset.log = chat.key;
    this.element.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.element.addEventListener("load", () => this.isFollowing && this.toEnd(), true);
    new ResizeObserver(() => this.isFollowing && this.toEnd()).observe(this.element);
    this.rebuild(chat.messages);
  }

  get newest() {
    return [...this.messages.values()].at(-1);
  }

  /** Show exactly these messages: after a reconnect nothing may be missing or left over. */
  rebuild(messages) {
    const known = this.messages;
    this.messages = new Map(messages.map((message) => [message.id, message]));
    const added = messages.filter((message) => !known.has(message.id) && !message.mine).length;
    if (known.size && !this.isFollowing) this.below += added;
    this.element.replaceChildren();
    if (!messages.length) this.element.append(this.#empty());
    let previous = null;
    for (const message of messages) previous = this.#append(message, previous);
    this.#keepPlace();
    this.onChange();
  }

  put(message) {
    const isNew = !this.messages.has(message.id);
    const previous = this.newest;
    this.messages.set(message.id, message);
    if (isNew) {
      this.element.querySelector(".empty")?.remove();
      this.#append(message, previous);
      this.#find(message.id).classList.add("fresh");
      if (message.mine) this.isFollowing = true;
      if (!this.isFollowing) this.below += 1;
    } else {
      this.#replace(message);
    }
    if (this.isFollowing) this.toEnd();
    this.onChange();
  }

  remove(id) {
    if (!this.messages.delete(id)) return;
    this.rebuild([...this.messages.values()]);
  }

  show(isShown) {
    this.element.hidden = !isShown;
    if (isShown) this.#keepPlace();
  }

  toEnd() {
    this.element.scrollTop = this.element.scrollHeight;
  }

  follow() {
    this.isFollowing = true;
    this.below = 0;
    this.element.scrollTo({ top: this.element.scrollHeight, behavior: "smooth" });
    this.onChange();
  }

  #keepPlace() {
    if (this.isFollowing) this.toEnd();
    else this.element.scrollTop = this.top;
  }

  #append(message, previous) {
    const isNewDay = !previous || dayOf(previous.at) !== dayOf(message.at);
    if (isNewDay) this.element.append(element("div", { className: "day" }, dayLabel(message.at)));
    const made = messageElement(this.chat, message, this.actions);
    const isGroup = !isNewDay && previous.mine === message.mine && message.at - previous.at < GROUP_MS;
    made.classList.toggle("first", !isGroup);
    this.element.append(made);
    return message;
  }

  #replace(message) {
    const old = this.#find(message.id);
    const made = messageElement(this.chat, message, this.actions);
    made.classList.toggle("first", old.classList.contains("first"));
    const focused = old.contains(document.activeElement) ? document.activeElement.dataset.callback : null;
    const oldImage = old.querySelector(".photo img");
    const newImage = made.querySelector(".photo img");
    // the same picture stays in place: no flash, no second download
    if (oldImage && newImage && oldImage.getAttribute("src") === newImage.getAttribute("src")) {
      newImage.replaceWith(oldImage);
    }
    old.replaceWith(made);
    if (focused) [...made.querySelectorAll("[data-callback]")].find((key) => key.dataset.callback === focused)?.focus();
  }

  #find(id) {
    return this.element.querySelector(`[data-message-id="${Number(id)}"]`);
  }

  #empty() {
    const isChannel = !this.chat.can_write;
    const made = element("div", { className: "empty" },
      element("img", { src: "/static/icon.svg", alt: "" }),
      element("strong", {}, isChannel ? words.emptyChannelTitle : words.emptyTitle),
      element("p", {}, isChannel ? words.emptyChannel : words.empty));
    if (!isChannel) {
      const start = element("button", { type: "button" }, words.start);
      start.addEventListener("click", () => this.actions.command("/start"));
      made.append(start);
    }
    return made;
  }

  #scrolled() {
    const left = this.element.scrollHeight - this.element.scrollTop - this.element.clientHeight;
    if (this.element.hidden || !this.element.isConnected) return;
    this.top = this.element.scrollTop;
    this.isFollowing = left < NEAR_END;
    if (this.isFollowing) this.below = 0;
    this.onChange();
  }
}
