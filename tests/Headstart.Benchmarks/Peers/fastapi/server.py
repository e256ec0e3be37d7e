"""The classifier as one would write it with FastAPI, torch and PIL: one photograph as the body, labels and probabilities as JSON."""

import io
import os
import sys
from pathlib import Path

import torch
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from PIL import Image

sys.path.append(str(Path(__file__).parent.parent))
from network import load_backbone, load_head, normalise, prepare  # noqa: E402

app = FastAPI()
folder = Path(os.environ["PEER_FOLDER"])
backbone = load_backbone(folder)
labels, head = load_head(folder)


def classify(body: bytes) -> dict:
    image = Image.open(io.BytesIO(body)).convert("RGB")
    with torch.inference_mode():
        probabilities = head(normalise(backbone(prepare(image)[None]))).softmax(1)[0].tolist()
    answers = [{"label": label, "probability": p} for label, p in zip(labels, probabilities)]
    return {"labels": sorted(answers, key=lambda answer: -answer["probability"])}


@app.post("/predict")
async def predict(request: Request) -> dict:
    body = await request.body()
    return await run_in_threadpool(classify, body)  # the event loop stays free, and PIL and torch let go of the interpreter's lock
