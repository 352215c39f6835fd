/* Keeps the marked parts of a page fresh: it asks for the page again and takes the parts over.
   <div data-live="name" data-seconds="3">; a part that comes back without data-seconds needs no more. */
"use strict";
{
    const HIDDEN_FACTOR = 10;
    const LONGEST_S = 60;
    let failures = 0;

    const parts = () => Array.from(document.querySelectorAll("[data-live][data-seconds]"));

    /* A person is at work in it: a box is ticked, a menu is open, the focus or the selection is inside. */
    const isBusy = (part) => {
        const selection = document.getSelection();
        return part.querySelector("input[type=checkbox]:checked") !== null
            || (part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea"))
            || (selection && !selection.isCollapsed && part.contains(selection.anchorNode));
    };

    const keepOpen = (old, fresh) => {
        const was = old.querySelectorAll("details");
        fresh.querySelectorAll("details").forEach((one, index) => {
            if (was[index]) {
                one.open = was[index].open;
            }
        });
    };

    /* What changes within the part only: the page keeps its focus, its scroll and its screen reader's place. */
    const takeOver = (old, fresh) => {
        if (isBusy(old) || old.isEqualNode(fresh)) {
            return;
        }
        const links = Array.from(old.querySelectorAll("a, button, summary, [tabindex]"));
        const focused = links.indexOf(document.activeElement);
        keepOpen(old, fresh);
        old.replaceWith(fresh);
        if (focused >= 0) {
            const again = fresh.querySelectorAll("a, button, summary, [tabindex]")[focused];
            if (again) {
                again.focus({preventScroll: true});
            }
        }
        document.dispatchEvent(new CustomEvent("hub:fresh"));
    };

    const refresh = async () => {
        const answer = await fetch(location.href, {headers: {Accept: "text/html"}, credentials: "same-origin"});
        if (!answer.ok || answer.redirected) {
            throw new Error(`the page answered ${answer.status}`);
        }
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const part of parts()) {
            const fresh = page.querySelector(`[data-live="${part.dataset.live}"]`);
            if (fresh) {
                takeOver(part, document.importNode(fresh, true));
            }
        }
    };

    const later = () => {
        const seconds = Math.min(...parts().map((part) => Number(part.dataset.seconds)));
        if (Number.isFinite(seconds)) {
            const wanted = seconds * (document.hidden ? HIDDEN_FACTOR : 1) * 2 ** Math.min(failures, 5);
            setTimeout(turn, Math.min(wanted, LONGEST_S) * 1000);
        }
    };

    const turn = async () => {
        if (parts().some((part) => !isBusy(part))) {
            try {
                await refresh();
                failures = 0;
            } catch {
                failures += 1;
            }
        }
        later();
    };

    later();
}
