(() => {
  const form = document.querySelector(".search"), field = form.querySelector("input"), found = document.getElementById("trouve");
  const nav = document.querySelector("nav"), sections = [...document.querySelectorAll("main > section")];
  const plain = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  // What is folded away (SQL, long lists) would make everything match.
  const text = (part) => [...part.children].filter((child) => child.tagName !== "DETAILS").map((child) => child.textContent).join(" ");
  const parts = [...document.querySelectorAll(".col, tbody tr")].map((part) => [part, plain(text(part))]);
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  field.addEventListener("input", () => {
    const words = plain(field.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const [part, known] of parts) {
      part.hidden = !words.every((word) => known.includes(word));
      count += part.hidden ? 0 : 1;
    }
    for (const section of sections) section.hidden = !section.querySelector(".col:not([hidden]), tbody tr:not([hidden])");
    nav.hidden = words.length > 0;
    found.textContent = words.length ? `${count} résultat${count > 1 ? "s" : ""}` : "";
  });
})();
