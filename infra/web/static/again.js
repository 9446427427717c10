// Asks again, every so many seconds, for what stands in <div data-again="ADDRESS" data-every="SECONDS">.
// What comes takes its place; what is empty (204) or an error changes nothing. An answer that is the last one says so
// (x-last), and one that leads on to another page says where (x-go-on).
(() => {
  const ask = async (el, timer) => {
    const answer = await fetch(el.dataset.again, { cache: "no-store" }).catch(() => null);
    if (!answer || answer.status !== 200) return;
    const to = answer.headers.get("x-go-on");
    if (to) return location.assign(to);
    el.replaceChildren(...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes);
    if (answer.headers.has("x-last")) clearInterval(timer);
  };
  for (const el of document.querySelectorAll("[data-again]")) {
    const timer = setInterval(() => ask(el, timer), 1000 * el.dataset.every);
  }
})();
