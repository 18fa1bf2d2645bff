"use strict";
// Presses the first button for a reader who followed a thumb in a digest. Only pages of digests
// that arrived a while ago ask for this script: programs that check mail have been there by then.
function press() {
  if (document.visibilityState === "visible" && !navigator.webdriver) {
    document.removeEventListener("visibilitychange", press);
    document.querySelector(".ballot form").requestSubmit();
  }
}
document.addEventListener("visibilitychange", press);
press();
