"""A chat server in the manner of the platforms that are written with FastAPI.

The WebSocket's handler stays on the event loop; each question is answered by a thread of a pool, with a client that
blocks, which hands its frames to the loop. The question and the answer are inserted into the database when they are
known, one committed statement each. It speaks the same frames as the other servers.
"""

import asyncio
import json
import os
import socket
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pymysql
import requests
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

UPSTREAM = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
DATABASE = urlsplit(os.environ["MYSQL_URL"])
SCHEMA = f"bench_peer_{os.getpid()}"
WORKERS = int(os.environ["WORKERS"])

INSERT = """INSERT INTO chatmessage (is_bot, type, category, message, flow_id, chat_id, run_id)
            VALUES (%s, %s, %s, %s, %s, %s, %s)"""
CREATE = """CREATE TABLE chatmessage (
              id BIGINT PRIMARY KEY AUTO_INCREMENT, is_bot BOOL NOT NULL, type VARCHAR(32), category VARCHAR(32),
              message MEDIUMTEXT, flow_id CHAR(32) NOT NULL, chat_id VARCHAR(64) NOT NULL, run_id CHAR(36),
              create_time DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, KEY (chat_id))"""

app = FastAPI()
pool = ThreadPoolExecutor(max_workers=WORKERS)
of_thread = threading.local()


def connect(schema=None):
    return pymysql.connect(
        host=DATABASE.hostname,
        port=DATABASE.port or 3306,
        user=DATABASE.username,
        password=DATABASE.password or "",
        database=schema,
        autocommit=True,
    )


def insert(*row):
    """Every thread of the pool keeps a connection."""
    if not hasattr(of_thread, "connection"):
        of_thread.connection = connect(SCHEMA)
    with of_thread.connection.cursor() as cursor:
        cursor.execute(INSERT, row)


class Conversation:
    def __init__(self, websocket, flow_id, chat_id):
        self.websocket = websocket
        self.flow_id = flow_id
        self.chat_id = chat_id
        self.loop = asyncio.get_running_loop()
        self.frames = asyncio.Queue()
        self.stopped = threading.Event()
        self.run_id = ""
        self.seq = 0

    async def carry(self):
        """Sends what the threads tell, in their order."""
        while True:
            await self.websocket.send_json(await self.frames.get())

    def tell(self, type, category, message=""):
        self.seq += 1
        frame = {
            "is_bot": True,
            "message": message,
            "type": type,
            "category": category,
            "intermediate_steps": None,
            "files": None,
            "user_id": None,
            "message_id": None,
            "source": 0,
            "sender": None,
            "receiver": None,
            "liked": 0,
            "extra": "{}",
            "flow_id": self.flow_id,
            "chat_id": self.chat_id,
            "run_id": self.run_id,
            "seq": self.seq,
        }
        self.loop.call_soon_threadsafe(self.frames.put_nowait, frame)

    def answer(self, question):
        """Runs in a thread of the pool."""
        self.run_id = str(uuid.uuid4())
        insert(False, "over", "question", question, self.flow_id, self.chat_id, self.run_id)
        self.tell("begin", "processing")
        self.tell("start", "processing")
        parts = []
        for content in ask_model(question):
            if self.stopped.is_set():
                break
            parts.append(content)
            self.tell("stream", "processing", {"content": content, "reasoning_content": ""})
        text = "".join(parts)
        insert(True, "over", "answer", text, self.flow_id, self.chat_id, self.run_id)
        self.tell("end", "processing")
        if not self.stopped.is_set():
            self.tell("start", "answer")
            self.tell("end_cover", "answer", text)
        self.tell("close", "processing")

    def ask(self, question):
        self.stopped.clear()
        pool.submit(self.answer, question).add_done_callback(end_on_error)


def end_on_error(future):
    """An answer that failed ends the server, and with it the benchmark; one that nobody waits for any more does not."""
    error = future.exception()
    if error is None:
        return
    print(repr(error), file=sys.stderr, flush=True)
    os._exit(1)


def ask_model(question):
    body = {
        "model": "bench",
        "messages": [{"role": "system", "content": "Answer."}, {"role": "user", "content": question}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if not hasattr(of_thread, "session"):
        of_thread.session = requests.Session()
    with of_thread.session.post(UPSTREAM, json=body, stream=True, timeout=60) as response:
        response.raise_for_status()
        for line in response.iter_lines():
            if not line.startswith(b"data: ") or line.startswith(b"data: [DONE]"):
                continue
            choices = json.loads(line[6:])["choices"]
            content = choices and choices[0]["delta"].get("content")
            if content:
                yield content


@app.websocket("/api/v1/chat/{flow_id}")
async def chat(websocket: WebSocket, flow_id: str, chat_id: str):
    await websocket.accept()
    conversation = Conversation(websocket, flow_id, chat_id)
    sender = asyncio.create_task(conversation.carry())
    conversation.tell("info", "session")
    try:
        while True:
            said = await websocket.receive_json()
            if said.get("action") == "stop":
                conversation.stopped.set()
            else:
                conversation.ask(said["inputs"]["input"])
    except WebSocketDisconnect:
        conversation.stopped.set()
    finally:
        sender.cancel()


def end_with_parent(server):
    """The benchmark holds the other end of standard input, however it ends."""
    sys.stdin.read()
    server.should_exit = True


def main():
    with connect() as database, database.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {SCHEMA}")
        cursor.execute(f"USE {SCHEMA}")
        cursor.execute(CREATE)
    listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
    server = uvicorn.Server(uvicorn.Config(app, loop="uvloop", ws="websockets", log_level="warning"))
    threading.Thread(target=end_with_parent, args=(server,), daemon=True).start()
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    try:
        server.run(sockets=[listening])
    finally:
        with connect() as database, database.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {SCHEMA}")


main()
