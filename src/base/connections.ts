import type { Server, Socket } from 'node:net';

/** Where somebody connects from. */
export const addressOf = ({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string =>
  remoteAddress === undefined ? 'unknown' : `${remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`;

interface Connection {
  readonly socket: Socket;
  /** How many requests are under way on it. */
  tasks: number;
}

/** The connections that a listener took, and which of them are in use: what is idle can go when the end has come. */
export class Connections {
  readonly #open = new Map<string, Connection>();
  #isDraining = false;

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Takes note of a connection; of the TLS connection in place of the one below it, which has the same address. */
  opened(socket: Socket): void {
    const address = addressOf(socket);
    const connection = { socket, tasks: 0 };
    this.#open.set(address, connection);
    socket.once('close', () => this.#open.get(address) === connection && this.#open.delete(address));
    if (this.#isDraining) socket.destroy();
  }

  /** It is in use until `task` closes. */
  uses(socket: Socket, task: NodeJS.EventEmitter): void {
    const connection = this.#open.get(addressOf(socket));
    if (connection === undefined) return;
    connection.tasks++;
    task.once('close', () => {
      connection.tasks--;
      if (this.#isDraining && connection.tasks === 0) connection.socket.destroySoon();
    });
  }

  /** Ends what is idle (an unfinished handshake, a connection kept for another request), and the others when they are done. */
  #drain(): void {
    this.#isDraining = true;
    for (const { socket, tasks } of [...this.#open.values()]) if (tasks === 0) socket.destroySoon();
  }

  /** Closes their listener, lets what is under way come to its end for so many milliseconds, then ends that too. */
  async close(server: Server, drainMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    this.#drain();
    const timer = setTimeout(() => this.#destroy(), drainMs);
    await closed;
    clearTimeout(timer);
  }

  #destroy(): void {
    for (const { socket } of [...this.#open.values()]) socket.destroy();
  }
}
