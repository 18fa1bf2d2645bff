"use strict";
// Has the preview of the subscribe form follow what is typed and pressed. Without it the form posts
// itself and comes back with the preview.

const WAIT = 400; // milliseconds after the last key

class Preview {
  constructor(form) {
    this.form = form;
    this.timer = 0;
    this.request = null;
    form.addEventListener("input", (event) => this.typed(event.target));
    form.addEventListener("keydown", (event) => this.entered(event));
    form.addEventListener("submit", (event) => this.pressed(event));
  }

  typed(field) {
    if (["keywords", "authors", "categories", "muted"].includes(field.name)) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.show(), WAIT);
    }
  }

  // Enter sends the form from the address alone: nobody who types keywords has finished.
  entered(event) {
    if (event.key === "Enter" && event.target.matches("input:not([type=email])")) {
      event.preventDefault();
      this.show();
    }
  }

  pressed(event) {
    const button = event.submitter;
    if (button && button.hasAttribute("formaction")) {
      event.preventDefault();
      this.show(button);
    }
  }

  async show(button = null) {
    clearTimeout(this.timer);
    if (this.request) {
      this.request.abort(); // its answer would come late
    }
    const request = new AbortController();
    this.request = request;
    const body = new URLSearchParams(new FormData(this.form));
    body.delete("email"); // a preview has no use for it
    if (button && button.name) {
      body.set(button.name, button.value);
    }
    try {
      const answer = await fetch(this.form.dataset.preview, { method: "POST", body, signal: request.signal });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (this.request === request) {
        this.replace(page, button);
      }
    } catch (error) {
      if (error.name !== "AbortError") {
        this.tell("The preview cannot be had just now.");
      }
    }
  }

  replace(page, button) {
    const told = page.querySelector("#preview-told");
    if (!told) {
      this.tell(page.querySelector("main p")?.textContent ?? "");
      return;
    }
    const problem = page.querySelector("form .problem");
    if (problem) {
      this.tell(problem.textContent);
      return;
    }
    if (button && button.name) {
      this.fill(page);
    }
    // The status stays the same element: what is new in it is read out, the papers are not.
    const status = document.querySelector("#preview-told");
    status.replaceChildren(...told.childNodes);
    document.querySelector("#preview-title").textContent = page.querySelector("#preview-title").textContent;
    const had = button && document.activeElement === button;
    document.querySelector(".previewed")?.remove();
    const list = page.querySelector(".previewed");
    if (list) {
      document.querySelector("#preview").append(list);
    }
    if (had && button.name) {
      const title = document.querySelector("#preview-title");
      title.tabIndex = -1;
      title.focus({ preventScroll: true });
    }
  }

  // A button of a paper changed the lists; what was typed into other fields stays.
  fill(page) {
    for (const name of ["keywords", "authors", "categories", "muted"]) {
      const field = this.form.elements[name];
      const value = page.querySelector(`[name="${name}"]`).value;
      if (field.value !== value) {
        field.value = value;
        const details = field.closest("details");
        if (details) {
          details.open = true;
        }
      }
    }
  }

  tell(text) {
    const line = document.createElement("p");
    line.className = "notice";
    line.textContent = text.trim();
    document.querySelector("#preview-told").replaceChildren(line);
  }
}

for (const form of document.querySelectorAll("[data-preview]")) {
  new Preview(form);
}
