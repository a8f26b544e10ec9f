"""Sections 2 to 5 of the contract; under ``/api/v1/``."""

from __future__ import annotations

from django.urls import path

from generation.api import create, quotes, uploads, views

urlpatterns = [
    path("generate/", create.ImageView.as_view(), name="generate"),
    path("generate/image/", create.ImageView.as_view(), name="generate-image"),
    path("generate/video/", create.VideoView.as_view(), name="generate-video"),
    path("generate/history/", views.HistoryView.as_view(), name="history"),
    path("generate/<str:generation_id>/", views.GenerationView.as_view(), name="generation"),
    path("generate/<str:generation_id>/download/", views.DownloadView.as_view(), name="download"),
    path("generate/<str:generation_id>/cancel/", views.CancelView.as_view(), name="cancel"),
    path("uploads/", uploads.UploadView.as_view(), name="uploads"),
    path("quote/", quotes.QuoteView.as_view(), name="quote"),
    path("models/", views.ModelsView.as_view(), name="models"),
    path("models/video/", views.ModelsView.as_view(kind="video"), name="models-video"),
    path("models/image/", views.ModelsView.as_view(kind="image"), name="models-image"),
]
