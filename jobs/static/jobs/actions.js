/* The job's form: adds actions and schedules to it, numbers the actions, and shows which will be removed. */
"use strict";
document.documentElement.classList.add("hub-has-script");
for (const section of document.querySelectorAll("[data-actions]")) {
    const template = section.querySelector("template");
    const total = section.querySelector(`[name="${section.dataset.actions}-TOTAL_FORMS"]`);

    const rows = () => Array.from(section.querySelectorAll(".hub-action:not(.hub-spare)"));

    const markRemoved = (event) => {
        if (event.target.matches("input[name$=-DELETE]")) {
            event.target.closest(".hub-action").classList.toggle("hub-removed", event.target.checked);
        }
    };

    const number = (added, before) => {
        const order = added.querySelector("input[name$=-ORDER]");
        if (order) {
            const orders = before.map((one) => Number(one.querySelector("input[name$=-ORDER]").value) || 0);
            order.value = Math.max(0, ...orders) + 1;
        }
    };

    const add = () => {
        const index = Number(total.value);
        const copy = document.importNode(template.content, true);
        for (const element of copy.querySelectorAll("*")) {
            for (const name of ["id", "name", "for", "aria-describedby", "aria-labelledby"]) {
                if (element.hasAttribute(name)) {
                    element.setAttribute(name, element.getAttribute(name).replaceAll("__prefix__", index));
                }
            }
        }
        total.value = index + 1;
        const before = rows();
        section.insertBefore(copy, template);
        const added = template.previousElementSibling;
        number(added, before);
        added.querySelector("select").focus();
    };

    section.addEventListener("change", markRemoved);
    const button = section.querySelector(".hub-add");
    if (button) {
        button.hidden = false;
        button.addEventListener("click", add);
    }
}
