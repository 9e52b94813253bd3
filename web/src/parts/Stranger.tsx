/** What a page says to whoever is not logged in. */
export function Stranger({ to }: { to: string }) {
  return (
    <p className="alone">
      <a href="#/log-in">Log in</a> to {to}.
    </p>
  );
}
