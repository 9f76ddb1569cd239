-- Nexmark q2: Selection. Changed: nothing.
SELECT auction, price FROM bid WHERE auction % 123 = 0
