import { connect, type Socket } from "node:net";

/** An answer, as far as loads look at it. */
export interface LoadAnswer {
  readonly status: number;
  readonly body: string;
}

/** One connection that carries one request at a time, with as little work for each as possible: the load must cost less than what it loads. */
export interface LoadConnection {
  /** Sends a request; resolves with its answer, or with the reason why there is none. Opens the connection where it is not open. */
  exchange(request: Buffer, timeoutMilliseconds: number): Promise<LoadAnswer | string>;
  close(): void;
}

/** So many connections to a server; each is opened with its first request. */
export function openLoadConnections(url: string, count: number): readonly LoadConnection[] {
  const { hostname, port } = new URL(url);
  return Array.from({ length: count }, () => openLoadConnection(hostname, Number(port)));
}

function openLoadConnection(host: string, port: number): LoadConnection {
  let socket: Socket | undefined;
  let received = "";
  let settle: ((answer: LoadAnswer | string) => void) | undefined;
  const finish = (answer: LoadAnswer | string): void => {
    const tell = settle;
    settle = undefined;
    received = "";
    tell?.(answer);
  };
  const open = (): Socket => {
    const opened = connect({ host, port, noDelay: true });
    opened.setEncoding("latin1");
    let reason = "closed";
    opened.on("data", (text: string) => {
      received += text;
      const answer = readAnswer(received);
      if (answer === undefined) return;
      if (answer.closes && socket === opened) {
        socket = undefined;
        opened.destroy();
      }
      finish(answer);
    });
    opened.on("error", (error: NodeJS.ErrnoException) => {
      reason = error.code ?? error.message;
    });
    opened.on("close", () => {
      if (socket !== opened) return;
      socket = undefined;
      finish(reason);
    });
    return opened;
  };
  return {
    exchange: (request, timeoutMilliseconds) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => {
          socket?.destroy();
          socket = undefined;
          finish("timeout");
        }, timeoutMilliseconds);
        settle = (answer) => {
          clearTimeout(timer);
          resolve(answer);
        };
        socket ??= open();
        socket.write(request);
      }),
    close: () => {
      socket?.destroy();
      socket = undefined;
    },
  };
}

/** The answer that is all there; `undefined` while some of it is missing. */
function readAnswer(text: string): (LoadAnswer & { readonly closes: boolean }) | undefined {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd === -1) return undefined;
  const head = text.slice(0, headEnd).toLowerCase();
  const body = text.slice(headEnd + 4);
  const length = /\r\ncontent-length: (\d+)/.exec(head)?.[1];
  const isChunked = head.includes("\r\ntransfer-encoding: chunked");
  const isWhole = isChunked ? body.endsWith("0\r\n\r\n") : body.length >= Number(length ?? 0);
  if (!isWhole) return undefined;
  return { status: Number(head.slice(9, 12)), body, closes: head.includes("\r\nconnection: close") };
}
