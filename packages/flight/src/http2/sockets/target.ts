/** Where to connect to. */
export type ConnectTarget =
  | {
      readonly kind: 'tcp';
      /** A name or an address; IPv6 without brackets. */
      readonly host: string;
      /** 1 to 65535. */
      readonly port: number;
    }
  | {
      readonly kind: 'unix';
      /** Path of the socket; on Windows of a named pipe. */
      readonly path: string;
    };

/** Where to listen: the same, and port 0 takes a free one. */
export type ListenTarget = ConnectTarget;
