/* Follows an execution's output: asks once a second for what came after the last piece, until it is final.
   <pre id="output" data-follow="URL" data-after="SEQ">. Without it the page's Refresh link does the same. */
"use strict";
{
    const SHOWN_CHARS = 1024 * 1024;
    const VISIBLE_MS = 1000;
    const HIDDEN_MS = 10000;
    const LONGEST_MS = 30000;
    const AT_END_PX = 40;

    const output = document.getElementById("output");
    const note = document.getElementById("follow-note");
    let after = Number(output.dataset.after);
    let etag = "";
    let failures = 0;
    let shown = output.textContent.length;

    const isAtEnd = () => output.scrollHeight - output.scrollTop - output.clientHeight < AT_END_PX;
    const goToEnd = () => {
        output.scrollTop = output.scrollHeight;
    };

    const add = (pieces) => {
        const follows = isAtEnd();
        for (const piece of pieces) {
            const span = document.createElement("span");
            span.className = `hub-${piece.stream}`;
            span.textContent = piece.text;
            output.append(span);
            shown += piece.text.length;
        }
        while (shown > SHOWN_CHARS && output.childElementCount > 1) {
            shown -= output.firstElementChild.textContent.length;
            output.firstElementChild.remove();
        }
        if (pieces.length) {
            document.getElementById("no-output")?.remove();
        }
        if (follows) {
            goToEnd();
        }
    };

    /* Returns whether there may be more. */
    const ask = async () => {
        const headers = {Accept: "application/json"};
        if (etag) {
            headers["If-None-Match"] = etag;
        }
        const answer = await fetch(`${output.dataset.follow}?after=${after}`, {
            headers, credentials: "same-origin", cache: "no-store",
        });
        if (answer.status === 304) {
            return true;
        }
        if (!answer.ok) {
            throw new Error(`the hub answered ${answer.status}`);
        }
        const page = await answer.json();
        etag = answer.headers.get("ETag") || "";
        add(page.results);
        if (page.next_after !== after) {
            after = page.next_after;
            etag = "";
        }
        return !page.is_final;
    };

    const turn = async () => {
        try {
            const goesOn = await ask();
            failures = 0;
            note.textContent = goesOn ? "Following …" : "That was all.";
            if (!goesOn) {
                return;
            }
        } catch (error) {
            failures += 1;
            note.textContent = `Cannot follow (${error.message}); trying again …`;
        }
        const wanted = (document.hidden ? HIDDEN_MS : VISIBLE_MS) * 2 ** Math.min(failures, 6);
        setTimeout(turn, failures ? Math.min(wanted, LONGEST_MS) : wanted);
    };

    goToEnd();
    if (output.dataset.follow) {
        turn();
    }
}
