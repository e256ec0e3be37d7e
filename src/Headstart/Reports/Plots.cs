using Headstart.Learning.Detection;
using Headstart.Learning.Evaluation;

namespace Headstart.Reports;

/// <summary>The diagrams of the report's page, as SVG inside it.</summary>
internal static class Plots
{
    private const int Left = 74;
    private const int Top = 12;
    private const int Bottom = 46;
    private const int CurveWidth = 600;
    private const int CurveHeight = 300;
    private const int ReliabilitySide = 340;
    private const int TickRoom = 52;
    private const int SmallSide = 200;
    private const int SmallMargin = 50;

    /// <summary>Accuracy by number of images (logarithmic): measured points, and the forecast with its interval.</summary>
    /// <param name="curve">With at least one point or forecast.</param>
    /// <param name="what">The examples, such as images.</param>
    /// <param name="measure">Name of the accuracy measure.</param>
    public static Html LearningCurve(LearningCurveReport curve, string what, string measure)
    {
        int[] images = [.. curve.Points.Select(p => p.Images).Concat(curve.Forecasts.Select(f => f.Images)).Distinct().Order()];
        var (first, last) = (Math.Log(Math.Max(1, images[0])), Math.Log(Math.Max(2, images[^1])));
        var lowest = curve.Points.Select(p => p.Accuracy).Concat(curve.Forecasts.Select(f => f.Low)).Min();
        var floor = Math.Clamp(Math.Floor(10 * lowest) / 10, 0, 0.9);
        var (right, bottom) = (CurveWidth - 24, CurveHeight - Bottom);
        double X(int count) => Left + (right - Left) * (Math.Log(Math.Max(1, count)) - first) / Math.Max(1e-9, last - first);
        double Y(double accuracy) => bottom - (bottom - Top) * (accuracy - floor) / (1 - floor);

        Html Path(IEnumerable<(double X, double Y)> places) =>
            $"{Html.Each(places.Select((place, i) => (place, i)), at => $"{(at.i == 0 ? "M" : "L")}{at.place.X:0.#} {at.place.Y:0.#}")}";
        var band = curve.Forecasts.Select(f => (X(f.Images), Y(f.High)))
            .Concat(curve.Forecasts.Reverse().Select(f => (X(f.Images), Y(f.Low))));
        var step = floor < 0.5 ? 0.2 : floor < 0.9 ? 0.1 : 0.02;
        var ticks = Enumerable.Range(0, (int)((1 - floor) / step + 1e-9) + 1).Select(i => 1 - i * step);
        return $"""
            <svg viewBox="0 0 {CurveWidth} {CurveHeight}" role="img" aria-label="Learning curve: {measure} by number of training {what}">
            {Html.Each(ticks, tick => $"<path class=\"grid\" d=\"M{Left} {Y(tick):0.#}H{right}\"/><text x=\"{Left - 8}\" y=\"{Y(tick) + 4:0.#}\" text-anchor=\"end\">{100 * tick:0} %</text>")}
            {Html.Each(Ticks(images, X), count => $"<text x=\"{X(count):0.#}\" y=\"{bottom + 20}\" text-anchor=\"middle\">{count}</text>")}
            <path class="band" d="{Path(band)}"/>
            <path class="dashed" d="{Path(curve.Forecasts.Select(f => (X(f.Images), Y(f.Accuracy))))}"/>
            <path class="line" d="{Path(curve.Points.Select(p => (X(p.Images), Y(p.Accuracy))))}"/>
            {Html.Each(curve.Points, p => $"<circle class=\"dot\" cx=\"{X(p.Images):0.#}\" cy=\"{Y(p.Accuracy):0.#}\" r=\"4\"><title>{p.Images} {what}: {Advice.Percent(p.Accuracy)}</title></circle>")}
            <text x="{(Left + right) / 2}" y="{CurveHeight - 8}" text-anchor="middle">training {what}</text>
            <text transform="translate(16 {(Top + bottom) / 2}) rotate(-90)" text-anchor="middle">{measure}</text>
            </svg>
            """;
    }

    /// <summary>The accuracy of predictions by confidence; on the diagonal, both are equal.</summary>
    public static Html Reliability(IReadOnlyList<ReliabilityBin> bins)
    {
        var square = new Square(Left, ReliabilitySide - 24, ReliabilitySide - Bottom);
        var most = bins.Max(bin => bin.Count);
        return $"""
            <svg viewBox="0 0 {ReliabilitySide} {ReliabilitySide}" role="img" aria-label="Calibration: accuracy by predicted probability">
            {square.Grid([0, 0.25, 0.5, 0.75, 1])}
            <path class="dashed" d="M{Left} {square.Bottom}L{square.Right} {Top}"/>
            {Html.Each(bins, bin => $"""
                <path class="gap" d="M{square.X(bin.Confidence):0.#} {square.Y(bin.Confidence):0.#}V{square.Y(bin.Accuracy):0.#}"/>
                <circle class="dot" cx="{square.X(bin.Confidence):0.#}" cy="{square.Y(bin.Accuracy):0.#}"
                r="{3 + 7 * Math.Sqrt((double)bin.Count / most):0.#}">
                <title>{bin.Count} answers of {Advice.Percent(bin.Confidence)}: {Advice.Percent(bin.Accuracy)} right</title></circle>
                """)}
            <text x="{(Left + square.Right) / 2}" y="{ReliabilitySide - 8}" text-anchor="middle">predicted probability (%)</text>
            <text transform="translate(16 {(Top + square.Bottom) / 2}) rotate(-90)" text-anchor="middle">accuracy</text>
            </svg>
            """;
    }

    /// <summary>The precision–recall curve of one category, over all probability thresholds.</summary>
    public static Html PrecisionRecall(PrecisionRecallCurve curve)
    {
        var square = new Square(SmallMargin, SmallSide - 14, SmallSide - 28);
        return $"""
            <svg viewBox="0 0 {SmallSide} {SmallSide}" role="img" aria-label="Precision–recall curve of {curve.Category}">
            {square.Grid([0, 0.5, 1])}
            <path class="line" d="M{square.Left} {square.Y(curve.Points[0].Precision):0.#}{Html.Each(curve.Points, p => $"L{square.X(p.Recall):0.#} {square.Y(p.Precision):0.#}")}"/>
            {Html.Each(curve.Points, p => $"""
                <circle class="dot" cx="{square.X(p.Recall):0.#}" cy="{square.Y(p.Precision):0.#}" r="2.5">
                <title>From {Advice.Percent(p.Probability)} on: precision {Advice.Percent(p.Precision)},
                    recall {Advice.Percent(p.Recall)}</title></circle>
                """)}
            </svg>
            """;
    }

    /// <summary>The precision–recall curve of the objects of one category, with the point of the best F1.</summary>
    public static Html PrecisionRecall(DetectedCategory category)
    {
        var square = new Square(SmallMargin, SmallSide - 14, SmallSide - 28);
        return $"""
            <svg viewBox="0 0 {SmallSide} {SmallSide}" role="img" aria-label="Precision–recall curve of {category.Name}">
            {square.Grid([0, 0.5, 1])}
            <path class="line" d="M{square.Left} {square.Y(category.Curve[0].Precision):0.#}{Html.Each(category.Curve, p => $"L{square.X(p.Recall):0.#} {square.Y(p.Precision):0.#}")}"/>
            <circle class="dot" cx="{square.X(category.Recall):0.#}" cy="{square.Y(category.Precision):0.#}" r="4">
            <title>From {Advice.Percent(category.Threshold)} on: precision {Advice.Percent(category.Precision)},
                recall {Advice.Percent(category.Recall)}</title></circle>
            </svg>
            """;
    }

    /// <summary>The tick labels that fit below the axis, always including the largest.</summary>
    private static IEnumerable<int> Ticks(IEnumerable<int> images, Func<int, double> x)
    {
        var taken = double.PositiveInfinity;
        foreach (var count in images.Reverse())
        {
            if (taken - x(count) >= TickRoom)
            {
                taken = x(count);
                yield return count;
            }
        }
    }

    /// <summary>A square plot of two shares, both from 0 to 1.</summary>
    private readonly record struct Square(int Left, int Right, int Bottom)
    {
        public double X(double share) => Left + (Right - Left) * share;

        public double Y(double share) => Bottom - (Bottom - Top) * share;

        public Html Grid(double[] ticks)
        {
            var place = this;
            return $"""
                {Html.Each(ticks, tick => $"""
                    <path class="grid" d="M{place.Left} {place.Y(tick):0.#}H{place.Right}M{place.X(tick):0.#} {Top}V{place.Bottom}"/>
                    <text x="{place.Left - 8}" y="{place.Y(tick) + 4:0.#}" text-anchor="end">{100 * tick:0} %</text>
                    <text x="{place.X(tick):0.#}" y="{place.Bottom + 20}" text-anchor="middle">{100 * tick:0}</text>
                    """)}
                """;
        }
    }
}
