// The slider for when an answer counts as sure: it shows at once what a value would give.

const form = document.getElementById("sure-form");

if (form) {
  const [slider, entry] = ["sure-slider", "sure-percent"].map((id) => document.getElementById(id));
  const steps = JSON.parse(form.dataset.steps); // [percent, sure answers, right ones of these]
  const put = (name, value) => (document.querySelector(`[data-sure="${name}"]`).textContent = value);
  const share = (part, all) => (all ? `${((100 * part) / all).toFixed(1)}\u00a0%` : "–");

  slider.hidden = false;
  slider.addEventListener("input", () => {
    entry.value = slider.value;
    show(Number(slider.value));
  });
  entry.addEventListener("input", () => {
    if (!entry.validity.valid) return;
    slider.value = entry.value;
    show(Number(entry.value));
  });

  function show(wanted) {
    const [percent, sure, right] = steps.find(([one]) => one >= wanted) ?? steps.at(-1);
    for (const [name, value] of [["percent", percent], ["sure", sure], ["right", right]]) put(name, value.toLocaleString("en"));
    put("share", share(right, sure));
    slider.setAttribute("aria-valuetext", `${percent} %`);
  }
}
