/** A range in a text file. Lines and columns count from 1, columns in UTF-16 code units; the end is exclusive. */
export interface Place {
  /** The path as people should read it: relative to the working directory where that is shorter, else absolute or a URL. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}
