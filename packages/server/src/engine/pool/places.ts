/** A statement's place among those that run at once. */
export interface Place {
  /**
   * Lets another statement have it, though this one still runs: it was cancelled and does not end.
   *
   * @returns false where that is not possible: it was given up before, or as many as there are places have been
   */
  giveUp(): boolean;
  /** The statement has ended. */
  free(): void;
}

/** Places for statements that run at once. */
export interface Places {
  /** Whether all are taken. */
  readonly areTaken: boolean;
  /** Statements that run on though they gave up their place. */
  readonly givenUp: number;
  take(): Place;
}

/** @param most - how many there are */
export function createPlaces(most: number): Places {
  let taken = 0;
  let givenUp = 0;
  return {
    get areTaken() {
      return taken >= most;
    },
    get givenUp() {
      return givenUp;
    },
    take() {
      let state: 'taken' | 'given up' | 'free' = 'taken';
      taken++;
      return {
        giveUp() {
          if (state !== 'taken' || givenUp >= most) return false;
          state = 'given up';
          taken--;
          givenUp++;
          return true;
        },
        free() {
          if (state === 'taken') taken--;
          if (state === 'given up') givenUp--;
          state = 'free';
        },
      };
    },
  };
}
