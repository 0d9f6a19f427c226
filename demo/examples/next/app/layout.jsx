import "./style.css";

export const metadata = {
  title: "Tides – My Paper",
  description: "Why the sea comes in twice a day, where you would expect it once.",
};

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
