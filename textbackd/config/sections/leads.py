"""The settings of a form on the shop's web pages.   section.py → here → settings.py, web/leads.py"""

from typing import Annotated

from pydantic import AfterValidator, Field

from textbackd.config import readers
from textbackd.config.section import DEFAULT, LineText, Secret, Section, Text

FieldName = Annotated[Text, Field(min_length=1, max_length=100)]


class Lead(Section):
    """A form that asks for an answer; it is sent to `webhooks.url`/lead/NAME/SECRET, as JSON or as a form."""

    secret: Annotated[Secret, AfterValidator(readers.hook_secret)] = Field(
        description="The last part of its address. Whoever can read the page can read it, so it only keeps out those who guess.",
        examples=["file:website.hook"],
    )
    line: Annotated[Text, AfterValidator(readers.known_line)] | None = Field(
        default=None,
        description="Whose staff, hours and gateways count.",
        examples=["main"],
        json_schema_extra={DEFAULT: "the first line"},
    )
    phone: FieldName = Field(default="phone", description="The form's field with the number to call or text.")
    name: FieldName = Field(default="name", description="The form's field with who asks.")
    message: FieldName = Field(default="message", description="The form's field with what they want.")
    email: FieldName = Field(default="email", description="The form's field with their e-mail address.")
    leave_empty: FieldName = Field(
        default="leave_empty",
        description="A field of the form that people do not see. What fills it in is a machine, and is not kept.",
    )
    cors_origin: Annotated[Text, AfterValidator(readers.web_origin)] | None = Field(
        default=None,
        description="The site whose pages may send it by script, as `fetch` does.",
        examples=["https://www.example.com"],
    )
    thanks: Annotated[Text, AfterValidator(readers.web_address)] | None = Field(
        default=None,
        description="The page that a browser goes to when it has sent the form itself, without a script.",
        examples=["https://www.example.com/thanks"],
    )
    text: LineText = Field(
        default=None,
        description="What they are texted at once, if nothing speaks against it; in quiet hours it waits. `none`: nothing.",
        examples=["Hi {caller_name}, this is {business}. Thanks for writing, we will be in touch shortly."],
    )
