// Joins textual.js, which draws the screen, to our server: says why the screen is gone, comes back
// when the server does, and leaves the browser those keys that are its own.
"use strict";
(() => {
  const RETRY_MS = 1500;
  const FAILURES = 3; // sockets that never opened, one after another, before we stop trying
  const WORDS = {
    4000: ["You have left.", "The scheduler goes on without you."],
    4002: ["Closed after a long time without a key.", "Nothing was stopped."],
    4003: ["Too many tabs are open.", "Close another one first, then open this one again."],
    4004: ["The screen broke.", "Tasks are not affected. The engine's log says where it broke."],
    4005: ["The connection was garbled.", "Tasks are not affected."],
  };
  const LOGGED_OUT = 4001;
  let isUnsaved = false; // whether a form on the screen holds what nobody has saved

  // --- the socket -------------------------------------------------------------------------------

  class Socket extends WebSocket {
    constructor(address) {
      const url = new URL(address, location.href);
      url.protocol = location.protocol.replace("http", "ws");
      const light = matchMedia("(prefers-color-scheme: light)").matches;
      url.searchParams.set("theme", localStorage.getItem("theme") || (light ? "light" : "dark"));
      super(url);
      let wasOpen = false;
      this.addEventListener("open", () => {
        wasOpen = true;
        sessionStorage.removeItem("failures");
      });
      this.addEventListener("message", (event) => {
        if (typeof event.data !== "string") return;
        const [word, value] = JSON.parse(event.data);
        if (word === "unsaved") isUnsaved = value;
        if (word === "look") document.body.style.backgroundColor = value.ground;
        if (word === "theme") localStorage.setItem("theme", value);
        if (word === "download") download(value.run, value.name);
      });
      this.addEventListener("close", (event) => gone(event.code, wasOpen));
    }

    send(data) {
      if (this.readyState === WebSocket.OPEN) super.send(data);
    }
  }
  window.WebSocket = Socket; // textual.js opens one, once

  function gone(code, wasOpen) {
    isUnsaved = false;
    console.info(`The socket is closed: ${code}, ${wasOpen ? "after it was open" : "unopened"}.`);
    if (code === LOGGED_OUT) location.replace("/");
    else if (code in WORDS) tell(...WORDS[code], true);
    else if (wasOpen || countFailures() < FAILURES) waitForServer();
    else {
      sessionStorage.removeItem("failures");
      tell("The screen cannot be opened.",
           "The server answers, but no WebSocket gets through. Is there a proxy between?", true);
    }
  }

  function countFailures() {
    const count = Number(sessionStorage.getItem("failures") || 0) + 1;
    sessionStorage.setItem("failures", count);
    return count;
  }

  async function waitForServer() {
    tell("The engine does not answer.", "Trying again ...", false);
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      try {
        await fetch("/assets/icon.svg", { method: "HEAD", cache: "no-store" });
        break;
      } catch { /* not yet */ }
    }
    location.reload();
  }

  function tell(title, text, hasButtons) {
    const notice = document.querySelector("#notice");
    notice.querySelector("h1").textContent = title;
    notice.querySelector("p").textContent = text;
    const again = document.querySelector("#again");
    again.hidden = notice.querySelector("form").hidden = !hasButtons;
    notice.hidden = false;
    again.onclick = () => location.reload();
    if (hasButtons) again.focus();
    else document.activeElement?.blur();
  }

  window.addEventListener("beforeunload", (event) => {
    if (isUnsaved) event.preventDefault(); // ctrl+w in a form, by habit
  });

  async function download(run, name) {
    const pieces = [];
    for (let offset = 0, size = 1; offset < size;) {
      const answer = await fetch(`/api/runs/${run}/log?offset=${offset}&limit=1000000`);
      const end = Number(answer.headers.get("X-Log-End"));
      if (!answer.ok || end <= offset) break;
      pieces.push(await answer.blob());
      [offset, size] = [end, Number(answer.headers.get("X-Log-Size"))];
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(pieces));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  // --- keys and clipboard -----------------------------------------------------------------------

  const NOT_OURS = new Set(["F5", "F11", "F12", "ctrl+v", "ctrl+0", "ctrl++", "ctrl+-"]);

  window.addEventListener("keydown", (event) => {
    const control = event.ctrlKey || event.metaKey;
    const key = (control ? "ctrl+" : "") + (event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (NOT_OURS.has(key) || (control && event.shiftKey)) {
      event.stopImmediatePropagation(); // the browser does what it always does
    } else if (key === "ctrl+c" && copySelection()) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);

  function takeKeyboard() {
    if (document.querySelector("#notice").hidden) {
      document.querySelector(".xterm-helper-textarea")?.focus();
    }
  }
  window.addEventListener("focus", takeKeyboard);
  window.addEventListener("mouseup", () => setTimeout(takeKeyboard)); // beside the terminal, too

  function copySelection() {
    // The terminal answers a copy event, and prevents the default, when something is selected in it.
    let didCopy = false;
    const look = (event) => { didCopy = event.defaultPrevented; };
    window.addEventListener("copy", look, { once: true });
    document.execCommand("copy");
    window.removeEventListener("copy", look);
    return didCopy;
  }

  // A click selects a row; only with ctrl it follows an address that a task has printed.
  let withControl = false;
  window.addEventListener("mouseup", (event) => { withControl = event.ctrlKey || event.metaKey; }, true);
  const open = window.open.bind(window);
  window.open = (...words) => (withControl ? open(...words) : null);

  // --- start ------------------------------------------------------------------------------------

  // The terminal measures its font once: so the font comes first.
  const fonts = ["14px 'Roboto Mono'", "bold 14px 'Roboto Mono'"];
  Promise.allSettled(fonts.map((font) => document.fonts.load(font))).then(() => {
    const script = document.createElement("script");
    script.src = "/assets/textual/js/textual.js";
    script.onload = () => {
      window.onload(); // where textual.js begins; the page itself was loaded before
      window.onload = null;
      takeKeyboard();
    };
    script.onerror = waitForServer;
    document.head.append(script);
  });
})();
