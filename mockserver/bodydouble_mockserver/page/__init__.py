"""The page of the mock server, ``/_bodydouble/``: what was asked and answered, with pictures."""

from bodydouble_mockserver.page.access import PageAccess
from bodydouble_mockserver.page.parts import PageParts
from bodydouble_mockserver.page.pictures import AnswerPictures, PictureLinks
from bodydouble_mockserver.page.routes import PageRoutes

__all__ = ["AnswerPictures", "PageAccess", "PageParts", "PageRoutes", "PictureLinks"]
