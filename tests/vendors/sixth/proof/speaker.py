"""How the contract suite speaks to the Kiln face."""

from tests.vendors.contract.speaker import Call, Speaker

FIRINGS = "/kiln/v1/firings"

SPEAKER = Speaker(
    one=lambda execution: f"{FIRINGS}/{execution.pk}",
    id_of=lambda execution: str(execution.pk),
    id_in=lambda body: str(body["firing"]),
    word_in=lambda body: body["stage"],
    times_in=lambda body: [body["lit"], body["opened"]],
    is_time=lambda value: isinstance(value, int),
    all=lambda: FIRINGS,
    ids_in=lambda body: [str(row["firing"]) for row in body["firings"]],
    unknown=f"{FIRINGS}/999999",
    no_route=("/kiln/v1/nonsense",),
    wrong_method=Call("put", FIRINGS),
    trigger=lambda job: Call("post", FIRINGS, {"ware": job.name}),
    triggered=201,
    abort=lambda execution: Call("delete", f"{FIRINGS}/{execution.pk}"),
    aborted=204,
    abort_of_ended=409,
    malformed=Call("post", FIRINGS),
)
