"""What makes two identifiers one patient: the identifier alone, or with its issuer and the institution."""

from __future__ import annotations

from dataclasses import dataclass

from monai_unlearn.errors import IndexReadError, did_you_mean

# Between an identifier and its issuer, as in the data type CX of HL7 version 2.
ISSUED_BY = "^^^"
ISSUER, INSTITUTION = "IssuerOfPatientID", "InstitutionName"
_FIELDS = ("PatientID", ISSUER, INSTITUTION)
_AT = "^^"


@dataclass(frozen=True)
class PatientKey:
    """The tags that identify a patient together.

    A key of several tags is written as HL7 version 2 writes identifiers (CX): `1001^^^HOSP_A^^Eye clinic`.

    >>> key = PatientKey.parse("PatientID,IssuerOfPatientID")
    >>> key.of("1001", "HOSP_A", "Eye clinic"), key.of("1001", None, None)
    ('1001^^^HOSP_A', '1001')

    Attributes:
        issuer: Whether IssuerOfPatientID is part of the key.
        institution: Whether InstitutionName is.
    """

    issuer: bool = False
    institution: bool = False

    @classmethod
    def parse(cls, text: str) -> PatientKey:
        """Take the tags of a command line, separated by commas.

        Raises:
            IndexReadError: One is not `PatientID`, `IssuerOfPatientID` or `InstitutionName`, or PatientID is missing.
        """
        names = [name.strip() for name in text.split(",")]
        for name in names:
            if name not in _FIELDS:
                raise IndexReadError(
                    f"--patient-key {text}: expected PatientID with IssuerOfPatientID, InstitutionName or both, "
                    f"got '{name}'.{did_you_mean(name, _FIELDS)}"
                )
        if "PatientID" not in names:
            raise IndexReadError(
                f"--patient-key {text}: expected PatientID among the tags, for example PatientID,{text}."
            )
        return cls(issuer=ISSUER in names, institution=INSTITUTION in names)

    @property
    def is_plain(self) -> bool:
        """Whether the key is the PatientID alone."""
        return not (self.issuer or self.institution)

    @property
    def fields(self) -> tuple[str, ...]:
        """The tags, in order."""
        wanted = (True, self.issuer, self.institution)
        return tuple(name for name, is_wanted in zip(_FIELDS, wanted, strict=True) if is_wanted)

    def of(self, identifier: str, issuer: str | None, institution: str | None) -> str:
        """Return the key of a patient."""
        issued = (issuer or "") if self.issuer else ""
        at = (institution or "") if self.institution else ""
        return identifier + (ISSUED_BY + issued if issued or at else "") + (_AT + at if at else "")

    def sql(self, identifier: str, issuer: str, institution: str) -> str:
        """Return SQL for the same, given SQL for its parts."""
        issued = f"coalesce({issuer}, '')" if self.issuer else "''"
        at = f"coalesce({institution}, '')" if self.institution else "''"
        joined = f"CASE WHEN {issued} = '' AND {at} = '' THEN '' ELSE '{ISSUED_BY}' || {issued} END"
        return f"({identifier} || {joined} || CASE WHEN {at} = '' THEN '' ELSE '{_AT}' || {at} END)"
