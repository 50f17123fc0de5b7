"""Every operation of the API, as data. A new one is a row here.   operation.py, the handlers → here → openapi.py, web/app.py"""

from functools import partial
from http import HTTPMethod
from typing import Final

from aiohttp import web

from textbackd.web.api import conversations, health, leads, staff, texts, timeline
from textbackd.web.api.openapi import document
from textbackd.web.api.operation import PREFIX, Operation

Conversation = conversations.Conversation
_get = partial(Operation, method=HTTPMethod.GET)
_post = partial(Operation, method=HTTPMethod.POST)
_act = partial(Operation, method=HTTPMethod.POST, answer=Conversation, can_be_refused=True)

OPERATIONS: Final[tuple[Operation, ...]] = (
    _get(path="/me", name="me", summary="Who asks", answer=staff.Me, handler=staff.me),
    _get(path="/staff", name="staff", summary="Who a conversation can be given to", answer=staff.Staff, handler=staff.list_staff),
    _get(path="/health", name="health", summary="How the daemon is", answer=health.Health, handler=health.health),
    _get(path="/counts", name="counts", summary="How much is in each part of the inbox", answer=conversations.Counts,
         handler=conversations.count),
    _get(path="/conversations", name="conversations", summary="The list of conversations", answer=conversations.Conversations,
         query=conversations.Listed, handler=conversations.list_conversations),
    _get(path="/conversations/{id}", name="conversation", summary="One conversation", answer=Conversation,
         handler=conversations.get),
    _get(path="/conversations/{id}/timeline", name="timeline", summary="What was said and done in it",
         answer=timeline.Timeline, query=timeline.Page, handler=timeline.get_timeline),
    _post(path="/conversations/{id}/reply", name="reply", summary="Answer the caller by text; the first answer claims it",
          answer=texts.Queued, body=texts.Reply, takes_key=True, can_be_refused=True, handler=texts.reply),
    _act(path="/conversations/{id}/note", name="note", summary="Leave words for colleagues", body=conversations.Note,
         handler=conversations.note),
    _act(path="/conversations/{id}/look", name="look", summary="Note that somebody has read it", handler=conversations.look),
    _act(path="/conversations/{id}/assign", name="assign", summary="Give it to somebody, or back to all",
         body=conversations.Assign, handler=conversations.assign),
    _act(path="/conversations/{id}/call-back", name="call_back", summary="Have your desk phone rung, and then the caller's",
         handler=conversations.call_back),
    _act(path="/conversations/{id}/put-away", name="put_away", summary="Say that nothing is left to do",
         handler=conversations.put_away),
    _act(path="/conversations/{id}/take-up", name="take_up", summary="Put it back on the list", handler=conversations.take_up),
    _act(path="/conversations/{id}/won", name="won", summary="Note that the caller became a customer", body=conversations.Won,
         handler=conversations.won),
    _act(path="/conversations/{id}/lost", name="lost", summary="Note that the caller went elsewhere", handler=conversations.lost),
    _act(path="/conversations/{id}/rename", name="rename", summary="Call the caller by another name", body=conversations.Rename,
         handler=conversations.rename),
    _act(path="/conversations/{id}/opt-out", name="opt_out", summary="Send the caller no more texts, because they said so",
         handler=conversations.opt_out),
    _act(path="/conversations/{id}/opt-in", name="opt_in", summary="Allow texts again, because they said so",
         handler=conversations.opt_in),
    _act(path="/conversations/{id}/keep-texting", name="keep_texting", summary="Say that what they wrote did not mean STOP",
         handler=conversations.keep_texting),
    _act(path="/conversations/{id}/never", name="never", summary="Let its calls count no more, and put it away",
         handler=conversations.never),
    _post(path="/texts", name="send", summary="Text a number, whether or not there is a conversation", answer=texts.Queued,
          body=texts.NewText, takes_key=True, can_be_refused=True, handler=texts.send),
    _get(path="/leads", name="leads", summary="Forms without a number that nobody has read", answer=leads.Leads,
         handler=leads.list_leads),
    _post(path="/leads/{id}/read", name="read_lead", summary="Take a form off that list", answer=leads.Leads, handler=leads.read),
)  # fmt: skip


async def _document(_request: web.Request) -> web.Response:
    return web.json_response(document(OPERATIONS))


ROUTES: Final = (
    *(operation.route() for operation in OPERATIONS),
    web.get(f"{PREFIX}/openapi.json", _document, name="api_openapi"),
)
