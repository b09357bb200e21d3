// The typing box: grows, sends on Enter, offers the bot's commands after a slash.

import { element } from "/static/render.js";
import { words } from "/static/words.js";

export class Composer {
  constructor(send) {
    this.sendText = send;
    this.commands = [];
    this.chosen = 0;
    this.form = document.getElementById("composer");
    this.text = document.getElementById("text");
    this.button = document.getElementById("send");
    this.menu = document.getElementById("menu");
    this.menuButton = document.getElementById("menu-button");
    this.text.placeholder = words.placeholder;
    this.text.ariaLabel = words.placeholder;
    this.button.ariaLabel = words.send;
    this.menuButton.ariaLabel = words.menu;
    this.menu.ariaLabel = words.menu;
    this.text.addEventListener("input", () => this.#changed());
    this.text.addEventListener("keydown", (event) => this.#key(event));
    this.text.addEventListener("blur", () => this.#close());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(this.text.value);
    });
    this.menuButton.addEventListener("mousedown", (event) => event.preventDefault());
    this.menuButton.addEventListener("click", () => this.#toggle());
    this.menu.addEventListener("mousedown", (event) => event.preventDefault());
  }

  focus() {
    if (!this.form.hidden && matchMedia("(hover: hover)").matches) this.text.focus({ preventScroll: true });
  }

  setCommands(commands) {
    this.commands = commands;
    this.menuButton.hidden = commands.length === 0;
    this.#offer();
  }

  #toggle() {
    const isOpen = !this.menu.hidden;
    if (isOpen) {
      if (this.text.value === "/") this.#set("");
      this.#close();
      return;
    }
    this.text.focus();
    if (!this.text.value) this.#set("/");
    this.#offer();
  }

  #set(value) {
    this.text.value = value;
    this.#changed();
  }

  #changed() {
    this.text.style.height = "auto";
    this.text.style.height = `${Math.max(this.text.scrollHeight, 46)}px`;
    this.button.disabled = !this.text.value.trim();
    this.chosen = 0;
    this.#offer();
  }

  #matching() {
    const typed = /^\/(\w*)$/.exec(this.text.value);
    return typed ? this.commands.filter((item) => item.command.startsWith(typed[1].toLowerCase())) : [];
  }

  #offer() {
    const found = document.activeElement === this.text ? this.#matching() : [];
    if (!found.length) {
      this.#close();
      return;
    }
    this.chosen = Math.min(this.chosen, found.length - 1);
    this.menu.replaceChildren(...found.map((item, index) => this.#line(item, index)));
    this.menu.hidden = false;
    this.menuButton.ariaExpanded = "true";
    this.text.setAttribute("aria-activedescendant", `command-${this.chosen}`);
    this.menu.children[this.chosen].scrollIntoView({ block: "nearest" });
  }

  #line(item, index) {
    const made = element("li", { id: `command-${index}`, role: "option" },
      element("span", { className: "command" }, `/${item.command}`),
      element("span", { className: "meaning" }, item.description));
    made.ariaSelected = String(index === this.chosen);
    made.addEventListener("click", () => this.#submit(`/${item.command}`));
    return made;
  }

  #close() {
    this.menu.hidden = true;
    this.menuButton.ariaExpanded = "false";
    this.text.removeAttribute("aria-activedescendant");
  }

  #key(event) {
    // Enter that ends a Hangul syllable belongs to the input method
    if (event.isComposing || event.keyCode === 229) return;
    if (!this.menu.hidden && this.#menuKey(event)) {
      event.preventDefault();
      return;
    }
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#submit(this.text.value);
    }
  }

  #menuKey(event) {
    const found = this.#matching();
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) {
      this.chosen = (this.chosen + steps[event.key] + found.length) % found.length;
      this.#offer();
    } else if (event.key === "Tab" && !event.shiftKey) {
      this.#set(`/${found[this.chosen].command} `);
    } else if (event.key === "Enter" && !event.shiftKey) {
      this.#submit(`/${found[this.chosen].command}`);
    } else if (event.key === "Escape") {
      this.#close();
    } else {
      return false;
    }
    return true;
  }

  async #submit(text) {
    if (!text.trim()) return;
    this.#set("");
    this.#close();
    if (!(await this.sendText(text)) && !this.text.value) this.#set(text);
  }
}
