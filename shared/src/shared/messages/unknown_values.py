"""Values of enumerations that a newer release has added: a reader treats each by a default that its field states.

Services deploy one by one, so a reader meets values that it does not know. None of them is poison. A field says what is
made of them: `kind: Annotated[Kind, UnknownAs("update")]`. The JSON Schema still lists the known values, since they are
what a writer may send.
"""

from collections.abc import Collection, Mapping
from typing import Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

KNOWN_ONLY: Final = "known-only"
"""As the context of a validation: an unknown value is an error. For input that is written for this release."""


class UnknownValues(list[str]):
    """As the context of a validation: gets each unknown value that is met, as `field=value`."""


class UnknownAs:
    """Marks a field whose unknown values are read as `default`."""

    def __init__(self, default: str) -> None:
        self.default = default
        self._known: CoreSchema | None = None

    def __get_pydantic_core_schema__(self, source: type[object], handler: GetCoreSchemaHandler) -> CoreSchema:
        """The field's own schema; what it does not take is looked at in Python, so known values cost nothing."""

        def read(value: str, info: ValidationInfo[object]) -> str:
            if info.context == KNOWN_ONLY:
                raise ValueError("not a known value")
            _tell(info, value)
            return self.default

        known = handler(source)
        self._known = known
        unknown = core_schema.with_info_after_validator_function(read, core_schema.str_schema())
        return core_schema.union_schema(
            [known, unknown],
            mode="left_to_right",
            custom_error_type="unknown_value",
            custom_error_message=f"Input should be one of {', '.join(map(repr, _values(known)))}",
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema of the known values."""
        return handler(self._known if self._known is not None else schema)


class PassOverUnknown:
    """Marks a list from which elements with a value that is not in `known` are left out.

    The elements are the values themselves, or objects that have the value as their member `member`.
    """

    def __init__(self, known: Collection[str], member: str = "") -> None:
        self.known = frozenset(known)
        self.member = member

    def __get_pydantic_core_schema__(self, source: type[object], handler: GetCoreSchemaHandler) -> CoreSchema:
        """The list's own schema, over what is left."""

        def read(value: object, info: ValidationInfo[object]) -> object:
            if not isinstance(value, list | tuple) or info.context == KNOWN_ONLY:
                return value
            return [each for each in value if self._is_known(each, info)]

        return core_schema.with_info_before_validator_function(read, handler(source))

    def _is_known(self, element: object, info: ValidationInfo[object]) -> bool:
        value = element.get(self.member) if self.member and isinstance(element, Mapping) else element
        if not isinstance(value, str) or value in self.known:
            return True
        _tell(info, value)
        return False


def _values(schema: CoreSchema) -> list[object]:
    """The values that an enumeration's schema lists."""
    if schema["type"] == "nullable":
        return [*_values(schema["schema"]), None]
    return list(schema["expected"]) if schema["type"] == "literal" else []


def _tell(info: ValidationInfo[object], value: str) -> None:
    if isinstance(info.context, UnknownValues):
        info.context.append(f"{info.field_name}={value[:100]}")
